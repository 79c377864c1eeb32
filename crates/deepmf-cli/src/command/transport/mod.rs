//! `transport`: a hidden light from what it does to what is seen.

mod judged;
mod page;

use std::path::{Path, PathBuf};
use std::time::Duration;

use deepmf::apps::{FoundLight, LightFiles, LightLook, LightTransport, Observed, Recording};
use deepmf::spec::{self, Data, LightFit, Spec, TransportSettings, Work};
use deepmf::{Error, Result, experiment};
use serde_json::{Value, json};

use super::Ending;
use crate::args::{TransportKept, TransportMatrix, TransportVideo};
use crate::failure::Failure;
use crate::interrupt;
use crate::output::{self, Talk};
use crate::progress::Bar;
use crate::run_folder::RunFolder;
use judged::Judged;

/// Between two looks at the light of a seed.
const APART: Duration = Duration::from_secs(5);

/// Finds the light of a matrix.
pub(super) fn matrix(args: &TransportMatrix, talk: Talk) -> Result<Ending, Failure> {
    let typed = Typed {
        data: args.data()?,
        settings: args.settings()?,
        seed: args.seed(),
        output: args.output.as_deref(),
        kept: &args.kept,
    };
    typed.run(talk)
}

/// Finds the hidden video of an observed one.
pub(super) fn video(args: &TransportVideo, talk: Talk) -> Result<Ending, Failure> {
    let typed = Typed {
        data: Data::Video(args.data()),
        settings: TransportSettings::decoders(LightFit::Video(args.settings())),
        seed: args.seed(),
        output: Some(&args.output),
        kept: &args.kept,
    };
    typed.run(talk)
}

/// What was typed.
struct Typed<'a> {
    data: Data,
    settings: TransportSettings,
    seed: u64,
    output: Option<&'a Path>,
    kept: &'a TransportKept,
}

impl Typed<'_> {
    fn run(&self, talk: Talk) -> Result<Ending, Failure> {
        self.settings.check()?;
        let recording =
            experiment::recording(&self.data, &self.settings.fit, self.seed, Path::new("."))?;
        let spec = self.spec()?;
        let folder = self.output.map(|path| self.opened(path, &spec)).transpose()?;
        let found = self.fitted(&recording, folder.as_ref(), talk)?;
        let judged = Judged::new(&recording, &found, self.settings.fit)?;
        let mut result = self.head(&recording);
        judged.write(&mut result, &recording, &found)?;
        result["seed"] = json!(self.seed);
        if let Some(folder) = &folder {
            let files = LightFiles { recording: &recording, found: &found };
            files.write(folder.path())?;
            let pictures = (folder.path(), &files.pictures()[..]);
            let subtitle = self.subtitle(&recording);
            folder.finish(&result, &page::page(&subtitle, &found, &result, &spec, pictures)?)?;
        }
        if self.kept.json {
            output::json(&result)?;
        }
        judged.tell(&found, self.output, talk);
        Ok(Ending::of(found.reason()))
    }

    /// The experiment that repeats the run.
    fn spec(&self) -> Result<String> {
        let spec = Spec {
            version: spec::VERSION,
            title: String::new(),
            seed: self.seed,
            data: self.data.clone(),
            work: Work::Transport(Box::new(self.settings.clone())),
            vary: vec![],
            report: spec::Report::default(),
        };
        let here = std::path::absolute(".").map_err(|error| Error::io(".", "find", error))?;
        spec.seen_from(&here).toml()
    }

    /// Opens the folder; a run may go on with other minutes.
    fn opened(&self, path: &Path, spec: &str) -> Result<RunFolder, Failure> {
        let own = lasting(spec);
        RunFolder::open_if(path, self.kept.resume, spec, |before| {
            own.is_some() && lasting(before) == own
        })
    }

    /// Fits with a bar, an interrupt and, where there is a folder, checkpoints and previews.
    fn fitted(
        &self,
        recording: &Recording,
        folder: Option<&RunFolder>,
        talk: Talk,
    ) -> Result<FoundLight> {
        let mut preview = folder.map(|folder| Preview::new(recording, folder.path()));
        let note = preview.as_ref().map(|it| format!("; the light so far: {}", it.path.display()));
        let bar = Bar::new(talk).with_note(note.unwrap_or_default());
        let mut app = LightTransport::new(self.seed).interrupt(interrupt::flag());
        app = app.watch(|stage| bar.stage(stage));
        if let Some(folder) = folder {
            app = app.folder(folder.path()).resume(self.kept.resume);
        }
        if let Some(preview) = &mut preview {
            app = app.look(APART, |look| preview.write(look));
        }
        let found = recording.fit(&app, &self.settings);
        drop(app);
        drop(bar);
        if let Some(error) = preview.and_then(|preview| preview.failed) {
            talk.warning(&format!("a preview was not written: {error}"));
        }
        found.inspect_err(|_| {
            if let Some(folder) = folder {
                folder.abandon();
            }
        })
    }

    /// The first keys of the result.
    fn head(&self, recording: &Recording) -> Value {
        match recording.observed() {
            Observed::Matrix(observed) => json!({
                "rows": observed.rows(),
                "cols": observed.cols(),
                "inner": self.settings.fit.inner(),
            }),
            Observed::Video(observed) => json!({
                "height": observed.height(),
                "width": observed.width(),
                "frames": recording.channels()[0].cols(),
                "colours": observed.channels(),
                "hidden": [recording.grid().0, recording.grid().1],
            }),
        }
    }

    fn subtitle(&self, recording: &Recording) -> String {
        match recording.observed() {
            Observed::Matrix(observed) => {
                let (rows, cols, inner) =
                    (observed.rows(), observed.cols(), self.settings.fit.inner());
                format!("{rows} x {cols} from {inner} inside")
            }
            Observed::Video(observed) => {
                let (height, width) = (observed.height(), observed.width());
                let (frames, hidden) = (recording.channels()[0].cols(), recording.grid());
                let of = format!("{height} x {width} pixels, {frames} frames");
                format!("{of}, {} x {} hidden", hidden.0, hidden.1)
            }
        }
    }
}

/// A spec without its limit in time, of which each call has its own.
fn lasting(text: &str) -> Option<Spec> {
    let spec = spec::parse(text, Path::new("spec.toml")).ok()?;
    let Work::Transport(settings) = spec.work else { return None };
    let work = Work::Transport(Box::new(settings.without_limit()));
    Some(Spec { work, ..spec })
}

/// The present light as a picture in the folder.
struct Preview<'a> {
    recording: &'a Recording,
    folder: PathBuf,
    path: PathBuf,
    /// Why the first one that failed was not written: no reason to end a fit.
    failed: Option<Error>,
}

impl<'a> Preview<'a> {
    fn new(recording: &'a Recording, folder: &Path) -> Self {
        let path = recording.preview(folder);
        Self { recording, folder: folder.into(), path, failed: None }
    }

    fn write(&mut self, look: &LightLook<'_>) {
        if let Err(error) = self.recording.write_preview(&self.folder, &look.light()) {
            self.failed.get_or_insert(error);
        }
    }
}
