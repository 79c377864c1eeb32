//! The program `deepmf`: reads what was typed, runs one command, says how it ended.

mod against;
mod args;
mod command;
mod failure;
mod fetch;
mod interrupt;
mod intervals;
mod job;
mod output;
mod page;
mod place;
mod progress;
mod run_folder;
mod summary;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let talk = output::Talk::new(args.quiet);
    let done = args.start_threads().and_then(|()| command::run(&args.command, talk));
    match done {
        Ok(ending) => ending.code(),
        Err(failure) => {
            output::failure(&failure);
            ExitCode::from(2)
        }
    }
}
