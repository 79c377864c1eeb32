//! What figures and pages say, and that nobody's text becomes markup.

use super::{Axis, Block, Figure, Layer, Page, Reference, Section};
use crate::linalg::Mat;

/// The text elements of an SVG, one a line.
fn words(svg: &str) -> String {
    let texts = svg.split("<text ").skip(1);
    let inner =
        texts.map(|t| t.split_once('>').map_or("", |(_, rest)| rest.split('<').next().unwrap()));
    inner.map(str::trim).collect::<Vec<_>>().join("\n")
}

fn loss() -> Figure {
    let x: Vec<f64> = (0..=4).map(|i| f64::from(i) * 25_000.0).collect();
    Figure::new("Loss", Axis::linear("step"), Axis::log("loss"))
        .with(Layer::line("training", x.clone(), vec![1.0, 1e-2, 0.0, 1e-5, 1e-6]))
        .with(Layer::line("test", x, vec![1.0, f64::NAN, 1e-2, f64::INFINITY, -1.0]))
        .with(Layer::rule("floor", Reference::Horizontal(1e-3)))
}

#[test]
fn a_loss_curve_says_its_decades_and_its_names() {
    insta::assert_snapshot!(words(&loss().svg().unwrap()), @r#"
    0
    20 000
    40 000
    60 000
    80 000
    100 000
    10⁻⁶
    10⁻⁵
    10⁻⁴
    10⁻³
    10⁻²
    10⁻¹
    10⁰
    Loss
    step
    loss
    training
    test
    floor
    "#);
}

#[test]
fn the_csv_holds_all_numbers_also_those_that_have_no_place() {
    insta::assert_snapshot!(loss().csv(), @r#"
    layer,kind,x,y
    training,line,0,1
    training,line,25000,0.01
    training,line,50000,0
    training,line,75000,1e-5
    training,line,100000,1e-6
    test,line,0,1
    test,line,25000,
    test,line,50000,0.01
    test,line,75000,inf
    test,line,100000,-1
    floor,rule,,0.001
    "#);
}

#[test]
fn bands_and_images_have_columns_of_their_own() {
    let matrix = Mat::from_columns(2, 2, vec![1.0, f64::NAN, -2.5, 1e-9]);
    let figure = Figure::new("", Axis::linear(""), Axis::linear(""))
        .with(Layer::image("a, \"b\"", matrix))
        .with(Layer::band("c", vec![0.0], vec![0.25], vec![0.75]));
    insta::assert_snapshot!(figure.csv(), @r#"
    layer,kind,x,y,low,high,value
    "a, ""b""",image,0,0,,,1
    "a, ""b""",image,1,0,,,-2.5
    "a, ""b""",image,0,1,,,
    "a, ""b""",image,1,1,,,1e-9
    c,band,0,,0.25,0.75,
    "#);
}

#[test]
fn axes_of_images_count_rows_and_columns() {
    let figure = Figure::new("Residual", Axis::linear("column"), Axis::linear("row"))
        .with(Layer::image("error", Mat::from_fn(3, 4, |i, j| i as f64 - j as f64)));
    insta::assert_snapshot!(words(&figure.svg().unwrap()), @r#"
    −3
    −2
    −1
    0
    1
    2
    3
    error
    0
    1.0
    2.0
    3.0
    −0.5
    0
    0.5
    1.0
    1.5
    2.0
    2.5
    Residual
    column
    row
    "#);
}

#[test]
fn the_same_figure_has_the_same_bytes() {
    assert_eq!(loss().svg().unwrap(), loss().svg().unwrap());
}

#[test]
fn nothing_to_draw_is_said() {
    for y in [vec![], vec![f64::NAN; 3], vec![0.0, -1.0, f64::NEG_INFINITY]] {
        let x = (0..y.len()).map(|i| i as f64).collect();
        let figure = Figure::new("", Axis::linear(""), Axis::log("")).with(Layer::line("a", x, y));
        assert_eq!(words(&figure.svg().unwrap()), "no data");
    }
    let empty =
        Figure::new("", Axis::linear(""), Axis::linear("")).with(Layer::image("", Mat::default()));
    assert_eq!(words(&empty.svg().unwrap()), "no data");
}

#[test]
fn zeros_on_a_logarithmic_axis_break_the_line() {
    let line = |y: Vec<f64>| {
        let x = (0..y.len()).map(|i| i as f64).collect();
        let figure = Figure::new("", Axis::linear(""), Axis::log("")).with(Layer::line("", x, y));
        let svg = figure.svg().unwrap();
        (svg.matches("stroke=\"#0072B2\"").count(), svg.matches("<circle").count())
    };
    assert_eq!(line(vec![1.0, 2.0, 3.0, 4.0, 5.0]), (1, 5));
    assert_eq!(line(vec![1.0, 2.0, 0.0, 4.0, 5.0]), (2, 4));
}

#[test]
fn long_series_are_drawn_by_few_marks() {
    let x: Vec<f64> = (0..100_000).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| (x * 1.7).sin() + 2.0).collect();
    let long = Figure::new("", Axis::linear(""), Axis::log("")).with(Layer::line(
        "",
        x.clone(),
        y.clone(),
    ));
    assert!(long.svg().unwrap().len() < 40_000);
    let cloud = Figure::new("", Axis::linear(""), Axis::linear("")).with(Layer::points("", x, y));
    let svg = cloud.svg().unwrap();
    assert_eq!(svg.matches("<circle").count(), 4_000);
    assert!(words(&svg).contains("at most 4000 are drawn"), "{}", words(&svg));
}

#[test]
fn labels_of_anybody_are_text() {
    let evil = "<script>alert('1')</script>\"&\0";
    let figure = Figure::new(evil, Axis::linear(evil), Axis::linear(evil))
        .with(Layer::line(evil, vec![1.0], vec![1.0]))
        .with(Layer::bars(format!("{evil}2"), vec![1.0], vec![1.0]));
    let page = Page::new(evil, evil).with(
        Section::new(evil)
            .with(Block::text(evil))
            .with(Block::figure(figure, evil))
            .with(Block::Facts(vec![(evil.into(), evil.into())]))
            .with(Block::warning(evil))
            .with(Block::details(evil, vec![Block::code(evil, evil)])),
    );
    let html = page.html().unwrap();
    assert!(!html.contains("<script") && !html.contains('\0'));
    assert!(html.matches("&lt;script&gt;").count() > 12);
}

#[test]
fn a_page_fetches_nothing_and_its_headings_are_in_order() {
    let page = Page::new("Run", "depth 3")
        .with(Section::new("Loss").with(Block::figure(loss(), "Falls.")));
    let html = page.html().unwrap();
    let addresses = html.matches("http").count();
    let namespaces = html.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
    // The other one is `http-equiv`.
    assert_eq!(addresses, namespaces + 1);
    assert!(html.find("<h1>").unwrap() < html.find("<h2>").unwrap());
    assert!(html.contains("role=\"img\" aria-label=\"Loss\""));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.html");
    page.save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), html);
}

#[test]
fn lists_of_different_length_and_wrong_limits_are_refused() {
    let figure = Figure::new("", Axis::linear(""), Axis::linear("")).with(Layer::points(
        "test",
        vec![1.0, 2.0],
        vec![1.0],
    ));
    insta::assert_snapshot!(figure.svg().unwrap_err(), @r#"y of the points "test" must have 2 values, as x has,, but it has 1"#);
    let figure = Figure::new("", Axis::linear(""), Axis::log("").between(0.0, 1.0));
    insta::assert_snapshot!(figure.svg().unwrap_err(), @r#"limits of axis y must be positive and rising, but it is (0, 1)"#);
    let figure =
        Figure::new("", Axis::log(""), Axis::linear("")).with(Layer::image("", Mat::eye(2, 2)));
    insta::assert_snapshot!(figure.svg().unwrap_err(), @r#"scaling of axis x must be linear where there is an image, but it is log10"#);
}
