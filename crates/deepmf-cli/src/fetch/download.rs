//! A download that goes on where it broke off, and the publisher's sum of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use deepmf::{Error, Result};
use md5::{Digest, Md5};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use crate::failure::Failure;
use crate::output::Talk;
use crate::progress::Bar;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// A sum and the name of its file are shorter.
const LONGEST_SUM: u64 = 4_096;

/// What is known of a finished download.
pub(super) struct Got {
    pub(super) resumed: bool,
    pub(super) has_sum: bool,
}

/// Downloads `address` to the file `part`, from where it ends if it is there, and compares the sum in `address`.md5.
///
/// # Errors
/// If the server refuses, the download breaks off (`part` keeps what came), or the sum is another one (`part` is gone).
pub(super) fn zip(
    address: &str,
    part: &Path,
    must_have_sum: bool,
    talk: Talk,
) -> std::result::Result<Got, Failure> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE));
    let agent: Agent = config.build().into();
    let expected = sum(&agent, &format!("{address}.md5"), must_have_sum)?;
    let resumed = whole(&agent, address, part, talk)?;
    if let Some(expected) = &expected {
        let found = sum_of(part)?;
        if found != *expected {
            let _ = fs::remove_file(part);
            let problem = format!("must have the MD5 sum {expected}, but it has {found}");
            let hint = "the download was thrown away; the same command begins it anew";
            return Err(Failure::with_hint(Error::data(address, problem), hint));
        }
    }
    Ok(Got { resumed, has_sum: expected.is_some() })
}

fn ask(agent: &Agent, address: &str, from: u64) -> std::result::Result<Response<Body>, Failure> {
    let request = agent.get(address);
    let request = match from {
        0 => request,
        _ => request.header("Range", format!("bytes={from}-")),
    };
    request.call().map_err(|error| {
        let error = Error::io(address, "download", io::Error::other(error));
        Failure::with_hint(error, "--from URL names another server with the same files")
    })
}

fn refused(address: &str, status: u16) -> Failure {
    let problem = format!("must be answered with status 200, but it is with {status}");
    let hint = "--from URL names another server with the same files";
    Failure::with_hint(Error::data(address, problem), hint)
}

/// The rest of the file, or all of it where there is none yet or the server knows no rest; says whether it was a rest.
fn whole(
    agent: &Agent,
    address: &str,
    part: &Path,
    talk: Talk,
) -> std::result::Result<bool, Failure> {
    let had = fs::metadata(part).map_or(0, |facts| facts.len());
    let mut response = ask(agent, address, had)?;
    let mut resumed = response.status() == 206 && begins_at(response.headers(), had);
    if !resumed && had > 0 && response.status() != 200 {
        // What is there is as long as the file or longer, or the server cannot go on.
        response = ask(agent, address, 0)?;
        resumed = false;
    }
    if !resumed && response.status() != 200 {
        return Err(refused(address, response.status().as_u16()));
    }
    let begin = if resumed { had } else { 0 };
    let rest = number(response.headers(), "content-length");
    let total = rest.map(|rest| rest + begin);
    let cannot = |error| Error::io(part, "write", error);
    let mut options = OpenOptions::new();
    let options = options.create(true).write(true).append(resumed).truncate(!resumed);
    let mut file = options.open(part).map_err(cannot)?;
    let (bar, name) = (Bar::new(talk), address.rsplit('/').next().unwrap_or(address));
    let (mut reader, mut at) = (response.into_body().into_reader(), begin);
    let mut buffer = vec![0; 1 << 16];
    let broken = loop {
        match reader.read(&mut buffer) {
            Ok(0) => break None,
            Ok(count) => {
                file.write_all(&buffer[..count]).map_err(cannot)?;
                at += count as u64;
                bar.count(name, at as usize, total.unwrap_or(at) as usize);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    file.sync_all().map_err(cannot)?;
    if broken.is_some() || total.is_some_and(|total| total != at) {
        let must = total.map_or("all".into(), |total| total.to_string());
        let problem = format!("must give {must} bytes, but it broke off after {at}");
        let hint = "the same command goes on from there";
        return Err(Failure::with_hint(Error::data(address, problem), hint));
    }
    Ok(resumed)
}

fn begins_at(headers: &HeaderMap, place: u64) -> bool {
    let range = headers.get("content-range").and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {place}-")))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// The sum that the publisher gives; none where there is no such file.
fn sum(agent: &Agent, address: &str, must: bool) -> std::result::Result<Option<String>, Failure> {
    let response = ask(agent, address, 0)?;
    match response.status().as_u16() {
        200 => {}
        404 if !must => return Ok(None),
        status => return Err(refused(address, status)),
    }
    let mut bytes = Vec::new();
    let mut reader = response.into_body().into_reader().take(LONGEST_SUM);
    reader.read_to_end(&mut bytes).map_err(|error| Error::io(address, "download", error))?;
    let text = String::from_utf8_lossy(&bytes);
    let is_sum = |word: &&str| word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    match text.split_whitespace().find(is_sum) {
        Some(word) => Ok(Some(word.to_ascii_lowercase())),
        None => Err(Error::data(address, "must hold an MD5 sum, but it holds none").into()),
    }
}

fn sum_of(path: &Path) -> Result<String> {
    let cannot = |error| Error::io(path, "read", error);
    let mut file = File::open(path).map_err(cannot)?;
    let (mut hash, mut buffer) = (Md5::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(cannot)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    let sum: [u8; 16] = hash.finalize().into();
    Ok(format!("{:032x}", u128::from_be_bytes(sum)))
}
