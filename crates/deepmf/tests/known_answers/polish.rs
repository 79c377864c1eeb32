//! Levenberg–Marquardt after a flow: fast to zero loss, and near the minimum that the flow tends to.

use deepmf::data;
use deepmf::model::{DeepLinear, Init};
use deepmf::problem::Problem;
use deepmf::train::optimizer::LevenbergMarquardt;
use deepmf::train::{Flow, Stop, StopReason, Trainer};

#[test]
fn a_polish_ends_what_the_flow_began_near_where_the_flow_would() {
    let shape = (40, 30);
    let truth = data::low_rank(shape, 2, 4).unwrap();
    let seen = data::observe(&truth, &data::random_cells(shape, 500, 4).unwrap()).unwrap();
    let problem = Problem::completion(&seen).unwrap().truth(&truth).unwrap();
    for depth in [2, 3] {
        let model = DeepLinear::with_width(shape, depth, 3).unwrap();
        let mut model = model.init(&Init::Balanced { scale: 1e-3 }, 0).unwrap();
        let stop = Stop::new().loss_below(1e-3);
        let flow =
            Trainer::new(Flow::new(1e-5).unwrap()).stop(stop).fit(&problem, &mut model).unwrap();
        assert_eq!(flow.reason, StopReason::LossReached);
        let mut on = model.clone();
        let stop = Stop::new().loss_below(1e-12);
        Trainer::new(Flow::new(1e-5).unwrap()).stop(stop).fit(&problem, &mut on).unwrap();
        let begun = model.product();
        let stop = Stop::new().steps(60).loss_below(1e-16);
        let polish = LevenbergMarquardt::new(0.01).unwrap();
        let run = Trainer::new(polish).stop(stop).fit(&problem, &mut model).unwrap();
        assert_eq!(run.reason, StopReason::LossReached, "depth {depth}: {}", run.loss);
        assert!(run.steps < 30, "depth {depth}: {} steps", run.steps);
        let size = on.product().frobenius();
        let gap = model.product().minus(&on.product()).frobenius() / size;
        let way = on.product().minus(&begun).frobenius() / size;
        assert!(gap < 0.3 * way, "depth {depth}: {gap} of {way}");
    }
}
