//! The script that runs a sweep as an array job of Slurm.

use std::path::Path;

use deepmf::experiment::Experiment;
use deepmf::{Error, Result};

/// Shards at most, where their number is not given: more would wait in most queues.
const MOST: usize = 100;

/// What the script runs, and where.
pub(super) struct Array<'a> {
    pub(super) spec: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) shards: Option<usize>,
}

impl Array<'_> {
    /// The script for `sbatch`: one task a shard, each in a folder of its own beside the run folder. A task that is
    /// submitted again goes on from where it ended.
    pub(super) fn script(&self, experiment: &Experiment) -> Result<String> {
        let trials = experiment.trials().len();
        if experiment.spec.vary.is_empty() {
            return Err(Error::parameter("an experiment in shards", "a sweep", "a single run"));
        }
        let shards = self.shards.unwrap_or(trials.min(MOST));
        if shards > trials {
            let allowed = format!("from 1 to {trials}, the number of trials");
            return Err(Error::parameter("--shards", allowed, shards));
        }
        let (spec, folder) = (word(self.spec), word(self.folder));
        let parts = word(&self.folder.with_added_extension("shards"));
        let lines = [
            "#!/bin/bash".into(),
            format!(
                "# {trials} trials in {shards} shards. To start it, and to put the shards together at its end:"
            ),
            "#   job=$(sbatch --parsable THIS_SCRIPT)".into(),
            "#   sbatch --dependency=afterany:$job THIS_SCRIPT merge".into(),
            "#SBATCH --job-name=deepmf".into(),
            format!("#SBATCH --array=1-{shards}"),
            "#SBATCH --ntasks=1".into(),
            "#SBATCH --cpus-per-task=1".into(),
            "#SBATCH --output=deepmf-%A-%a.log".into(),
            "set -euo pipefail".into(),
            "deepmf=${DEEPMF_PROGRAM:-deepmf}".into(),
            String::new(),
            "if [[ ${1:-} == merge ]]; then".into(),
            "    # Of the array one task is enough.".into(),
            "    [[ ${SLURM_ARRAY_TASK_ID:-1} == 1 ]] || exit 0".into(),
            format!("    exec \"$deepmf\" run {spec} --merge {parts}/* --run {folder}"),
            "fi".into(),
            format!(
                "exec \"$deepmf\" run {spec} --shard \"$SLURM_ARRAY_TASK_ID/{shards}\" \
                 --run {parts}/\"$SLURM_ARRAY_TASK_ID\" --resume --threads \"${{SLURM_CPUS_PER_TASK:-1}}\""
            ),
        ];
        Ok(lines.join("\n") + "\n")
    }
}

/// A path as a word of a shell.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(word(Path::new("a/b-1.toml")), "a/b-1.toml");
        assert_eq!(word(Path::new("my file")), "'my file'");
        assert_eq!(word(Path::new("it's")), r"'it'\''s'");
    }
}
