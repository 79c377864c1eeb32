//! `data make`: data of which the truth is known.

use std::fs;
use std::path::{Path, PathBuf};

use deepmf::Error;
use deepmf::data::{
    Entries, Scene, SceneSettings, Sensor, Table, low_rank as truth_of, observe, random_cells,
    write, write_video,
};

use super::Ending;
use crate::args::{LowRank, Scene as SceneArgs};
use crate::failure::Failure;
use crate::output::Talk;

/// A matrix of low rank and some of its entries.
pub(crate) fn low_rank(args: &LowRank, talk: Talk) -> Result<Ending, Failure> {
    let truth = truth_of(args.shape, args.rank, args.seed)?;
    let cells = random_cells(args.shape, args.observe, args.seed)?;
    let seen = observe(&truth, &cells)?;
    let within = made(&args.output)?;
    for (name, entries) in [("truth.npy", Entries::from_dense(&truth)?), ("observed.npy", seen)] {
        let path = within(name);
        write(&path, &Table::new(entries))?;
        talk.line(&format!("{}", path.display()));
    }
    Ok(Ending::Done)
}

/// A room lit by a hidden screen.
pub(crate) fn scene(args: &SceneArgs, talk: Talk) -> Result<Ending, Failure> {
    let settings = SceneSettings {
        observed: args.observed,
        hidden: args.hidden,
        frames: args.frames,
        sensor: Sensor {
            exposure: args.exposure,
            electrons: args.electrons,
            read_noise: args.read_noise,
            bits: args.bits,
        },
    };
    let scene = Scene::simulated(&settings, args.seed)?;
    let within = made(&args.output)?;
    let videos = [("observed", &scene.observed), ("hidden", &scene.hidden)];
    let files = videos.iter().flat_map(|&(name, video)| {
        ["npy", "gif"].map(|extension| (within(&format!("{name}.{extension}")), video))
    });
    for (path, video) in files {
        write_video(&path, video)?;
        talk.line(&format!("{}", path.display()));
    }
    let path = within("transport.npy");
    write(&path, &Table::new(Entries::from_dense(&scene.transport)?))?;
    talk.line(&format!("{}", path.display()));
    Ok(Ending::Done)
}

/// Makes a folder, and gives the paths of files in it.
fn made(folder: &Path) -> Result<impl Fn(&str) -> PathBuf + use<'_>, Failure> {
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, "create", error))?;
    Ok(|name: &str| folder.join(name))
}
