//! `data fetch` against a small server of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::thread;

use md5::{Digest, Md5};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Desk, stderr};

/// What the server has.
#[derive(Clone, Default)]
struct Shelf {
    zip: Vec<u8>,
    sum: Option<String>,
    /// It breaks off after so many bytes of the archive, once.
    breaks_after: Option<usize>,
    /// It knows ranges.
    ranges: bool,
}

/// A server on a port of its own; gives its address and what is asked of it.
fn serve(shelf: Shelf) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/sets", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    thread::spawn(move || {
        let mut shelf = shelf;
        for stream in listener.incoming() {
            answer(&mut shelf, &log, stream.unwrap());
        }
    });
    (address, asked)
}

fn answer(shelf: &mut Shelf, log: &Mutex<Vec<String>>, mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let range = head.iter().find_map(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("range: bytes=")?.trim_end_matches('-').parse::<usize>().ok()
    });
    let from = range.filter(|_| shelf.ranges);
    log.lock().unwrap().push(format!("{first} {range:?}"));
    let path = first.split(' ').nth(1).unwrap();
    let found = match path {
        "/sets/ml-100k.zip" => Some(shelf.zip.clone()),
        "/sets/ml-100k.zip.md5" => shelf.sum.clone().map(String::into_bytes),
        _ => None,
    };
    let Some(bytes) = found else {
        let none = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(none).unwrap();
        return;
    };
    let is_zip = path == "/sets/ml-100k.zip";
    let (total, mut body) = (bytes.len(), bytes[from.unwrap_or(0).min(bytes.len())..].to_vec());
    let status = match from {
        Some(place) if place >= total => {
            let none = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(none.as_bytes()).unwrap();
            return;
        }
        Some(place) => {
            format!("206 Partial Content\r\nContent-Range: bytes {place}-{}/{total}", total - 1)
        }
        None => "200 OK".into(),
    };
    let length = body.len();
    if let Some(end) = shelf.breaks_after.take_if(|_| is_zip) {
        body.truncate(end);
    }
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // The client may have gone away.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// An archive with so many ratings of 943 users and 1682 films.
fn archive(ratings: usize) -> Vec<u8> {
    let mut text = String::new();
    for e in 0..ratings {
        writeln!(text, "{}\t{}\t{}\t{}", e % 943 + 1, e % 1682 + 1, e % 5 + 1, e).unwrap();
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("ml-100k/README", "Ask before you pass this on.\n"),
        ("ml-100k/u.item", "not wanted\n"),
        ("ml-100k/u.data", &text),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sum(bytes: &[u8]) -> String {
    let sum: [u8; 16] = Md5::digest(bytes).into();
    format!("MD5 (ml-100k.zip) = {:032x}\n", u128::from_be_bytes(sum))
}

fn shelf(ratings: usize) -> Shelf {
    let zip = archive(ratings);
    Shelf { sum: Some(sum(&zip)), zip, ranges: true, ..Shelf::default() }
}

fn fetch(desk: &Desk, address: &str) -> Output {
    let line = format!("data fetch ml-100k --json --from {address}");
    desk.command(&line).env("DEEPMF_CACHE", desk.path("cache")).output().unwrap()
}

/// What is in the cache.
fn kept(desk: &Desk) -> Vec<String> {
    let Ok(files) = fs::read_dir(desk.path("cache")) else { return vec![] };
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_data_set_is_fetched_once_with_its_terms_and_only_what_is_wanted_is_kept() {
    let desk = Desk::new();
    let (address, asked) = serve(shelf(100_000));
    let output = fetch(&desk, &address);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("Ask before you pass this on."), "{}", stderr(&output));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let data = desk.path("cache/ml-100k/u.data");
    assert_eq!(found["path"], data.display().to_string());
    assert_eq!(found["bytes"], fs::metadata(&data).unwrap().len());
    let counts = ["ratings", "rows", "cols"].map(|key| found[key].as_u64().unwrap());
    assert_eq!((counts, &found["resumed"]), ([100_000, 943, 1_682], &false.into()));
    assert_eq!(kept(&desk), ["ml-100k"]);
    assert_eq!(fs::read_dir(desk.path("cache/ml-100k")).unwrap().count(), 2);
    let again = fetch(&desk, &address);
    assert!(stderr(&again).contains("in the cache already"), "{}", stderr(&again));
    assert_eq!(asked.lock().unwrap().len(), 2, "the sum and the archive, once each");
}

#[test]
fn a_download_that_broke_off_goes_on_where_it_ended() {
    let desk = Desk::new();
    let all = shelf(100_000);
    let (address, asked) = serve(Shelf { breaks_after: Some(50_000), ..all.clone() });
    let broken = fetch(&desk, &address);
    let told = stderr(&broken);
    assert_eq!((broken.status.code(), broken.stdout.len()), (Some(2), 0), "{told}");
    let must = format!("must give {} bytes, but it broke off after 50000", all.zip.len());
    assert!(told.contains(&must) && told.contains("hint: the same command goes on"), "{told}");
    assert_eq!(kept(&desk), ["ml-100k.zip.part"]);
    let output = fetch(&desk, &address);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["resumed"], &found["ratings"]), (&true.into(), &100_000.into()));
    assert!(asked.lock().unwrap().last().unwrap().ends_with("Some(50000)"));
    assert_eq!(kept(&desk), ["ml-100k"]);
}

#[test]
fn a_server_without_ranges_or_with_a_shorter_file_gives_all_again() {
    for (ranges, left) in [(false, 5_000), (true, 1 << 24)] {
        let desk = Desk::new();
        fs::create_dir(desk.path("cache")).unwrap();
        fs::write(desk.path("cache/ml-100k.zip.part"), vec![7; left]).unwrap();
        let (address, _) = serve(Shelf { ranges, ..shelf(100_000) });
        let output = fetch(&desk, &address);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["resumed"], false);
    }
}

#[test]
fn what_is_not_the_data_set_is_refused_and_nothing_of_it_is_left() {
    let good = shelf(100_000);
    let other = |zip: Vec<u8>| Shelf { sum: Some(sum(&zip)), zip, ..good.clone() };
    for (shelf, words) in [
        (Shelf { sum: Some(sum(b"else")), ..good.clone() }, "must have the MD5 sum"),
        (Shelf { sum: Some("none".into()), ..good.clone() }, "must hold an MD5 sum"),
        (
            Shelf { sum: None, ..good.clone() },
            "must be answered with status 200, but it is with 404",
        ),
        (shelf(99_999), "must have 100000 ratings of 943 rows and 1682 columns, but it has 99999"),
        (other(b"no archive".to_vec()), "must be the archive of ml-100k, but it is not"),
        (other(archive(3)[..200].to_vec()), "must be the archive of ml-100k, but it is not"),
    ] {
        let desk = Desk::new();
        let (address, _) = serve(shelf);
        let output = fetch(&desk, &address);
        let told = stderr(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{told}");
        assert!(told.starts_with("error: ") && told.contains(words), "{words}: {told}");
        assert!(kept(&desk).is_empty(), "{words}: {:?}", kept(&desk));
    }
}

#[test]
fn no_server_and_no_address_are_told() {
    let desk = Desk::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = fetch(&desk, &format!("http://{free}"));
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(told.contains("cannot download") && told.contains("hint: --from URL"), "{told}");
    let output = fetch(&desk, "ftp://somewhere");
    assert!(stderr(&output).contains("--from must be an http or https address"));
    assert_eq!(desk.run("data fetch ml-3k").status.code(), Some(2));
}

#[test]
fn the_keys_of_a_fetch_are_those_of_the_page_and_of_the_help() {
    let page = include_str!("../../../../docs/interface.md");
    let paragraph = &page[page.find("`data fetch`: ").unwrap()..];
    let help = Desk::new().done("data fetch --help");
    for key in ["path", "ratings", "rows", "cols", "bytes", "resumed"] {
        let on_page = paragraph.split("\n\n").next().unwrap().contains(&format!("`{key}`"));
        assert!(on_page && help.contains(key), "{key}");
    }
}
