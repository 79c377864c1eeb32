//! Runs the program in a folder of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A folder in which the program runs.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Names of what is in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deepmf"));
        command.current_dir(self.folder.path()).args(line.split_whitespace());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Runs what must end with exit code 0; gives stdout.
    pub(crate) fn done(&self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.done(line)).unwrap()
    }

    pub(crate) fn with_stdin(&self, line: &str, input: &[u8]) -> Output {
        let mut child = self
            .command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    pub(crate) fn spawn(&self, line: &str) -> Child {
        self.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The folder of files that must be refused.
pub(crate) fn bad() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deepmf/tests/data/bad").canonicalize().unwrap()
}

/// A table of towns and months with some holes: rank 1 beside offsets.
pub(crate) fn table() -> String {
    towns(|i, j| (i + 3 * j) % 6 == 0)
}

/// The same without holes.
pub(crate) fn truth() -> String {
    towns(|_, _| false)
}

fn towns(is_hole: impl Fn(usize, usize) -> bool) -> String {
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul"];
    let mut text = format!("town,{}\n", months.join(","));
    for i in 0..12 {
        text += &format!("town{i}");
        for j in 0..months.len() {
            let value = 3 * i + 2 * j + (i * j) % 5;
            text += &if is_hole(i, j) { ",".into() } else { format!(",{value}") };
        }
        text.push('\n');
    }
    text
}

/// The same as triplets.
pub(crate) fn triplets() -> String {
    let table = table();
    let mut lines = table.lines();
    let months: Vec<&str> = lines.next().unwrap().split(',').skip(1).collect();
    let mut text = String::from("town,month,degrees\n");
    for line in lines {
        let mut fields = line.split(',');
        let town = fields.next().unwrap();
        for (month, value) in months.iter().zip(fields).filter(|(_, value)| !value.is_empty()) {
            text += &format!("{town},{month},{value}\n");
        }
    }
    text
}

/// Flags that make a fit short.
pub(crate) const SHORT: &str = "--depth 2 --init-scale 0.1 --steps 50";
