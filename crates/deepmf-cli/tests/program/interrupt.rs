//! Ctrl-C loses nothing, and `--resume` goes on to the same bits.
#![cfg(unix)]

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Desk, stderr};

fn send_interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Starts `line`, interrupts it after a while, and gives what it said.
fn interrupted(desk: &Desk, line: &str, after: Duration) -> String {
    let child = desk.spawn(line);
    let begun = Instant::now();
    // The handler is there once the spec is.
    while !desk.path("r/spec.toml").exists() && begun.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(5));
    }
    sleep(after);
    send_interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    stderr(&output)
}

fn same_bits_after_an_interrupt(settings: &str, after: Duration) {
    let desk = Desk::new();
    desk.done("data make low-rank --shape 100x100 --rank 3 --observe 3000 -o lr");
    let line = |folder: &str| {
        format!("complete lr/observed.npy {settings} --run {folder} -o {folder}.csv")
    };
    desk.done(&line("whole"));
    let told = interrupted(&desk, &line("r"), after);
    assert!(told.contains("interrupted"), "{told}");
    let result: serde_json::Value = serde_json::from_str(&desk.text("r/result.json")).unwrap();
    assert_eq!(result["stop_reason"], "interrupted");
    desk.done(&format!("{} --resume", line("r")));
    assert_eq!(desk.text("r.csv"), desk.text("whole.csv"));
    let trajectory = |folder: &str| desk.text(&format!("{folder}/trajectory.csv"));
    assert_eq!(trajectory("r"), trajectory("whole"));
}

#[test]
fn a_fit_that_was_interrupted_goes_on_to_the_same_bits() {
    same_bits_after_an_interrupt("--raw --steps 4000 --loss-below 0", Duration::from_millis(300));
}

#[test]
fn an_interrupt_during_the_choice_among_depths_loses_nothing() {
    same_bits_after_an_interrupt("--steps 3000 --loss-below 0", Duration::from_millis(30));
}
