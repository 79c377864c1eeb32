//! How what was found compares with what is true, and with what simpler ways find.

use std::path::Path;

use deepmf::Result;
use deepmf::analysis::metrics::VideoAgreement;
use deepmf::apps::{FoundLight, LightBaseline, Recording};
use deepmf::spec::{LightFit, LightMethod, TransportSettings};
use deepmf::train::StopReason;
use serde_json::{Value, json};

use crate::output::Talk;

/// The comparisons of one run.
pub(super) struct Judged {
    agreement: Option<VideoAgreement>,
    transport: Option<f64>,
    /// What a light that never changes would correlate, its means left in.
    still: Option<f64>,
    non_negative: LightBaseline,
    singular: LightBaseline,
    known: Option<LightBaseline>,
}

impl Judged {
    pub(super) fn new(recording: &Recording, found: &FoundLight, fit: LightFit) -> Result<Self> {
        let by = |method| recording.baseline(&TransportSettings::by(method, fit), 0);
        let all_known = recording.transport().is_some() && recording.light().is_some();
        Ok(Self {
            agreement: recording.agreement(&found.light)?,
            transport: recording.transport_correlation(&found.transport)?,
            still: recording.static_correlation(),
            non_negative: by(LightMethod::Nmf)?,
            singular: by(LightMethod::Singular)?,
            known: all_known.then(|| by(LightMethod::Known)).transpose()?,
        })
    }

    /// Adds the keys of the fit and of the comparisons to a result.
    pub(super) fn write(
        &self,
        value: &mut Value,
        recording: &Recording,
        found: &FoundLight,
    ) -> Result<()> {
        let kept = found.kept();
        value["steps"] = json!(kept.steps);
        value["seconds"] = json!(found.seconds);
        value["seconds_per_step"] = json!(kept.seconds / kept.steps.max(1) as f64);
        value["stop_reason"] = json!(kept.reason.name());
        value["held_out_error"] = json!(kept.held_out_error);
        value["objective"] = json!(kept.objective);
        value["agreement"] = json!(kept.agreement);
        value["product_error"] = json!(kept.product_error);
        value["chosen_seed"] = json!(kept.seed);
        value["kept"] = json!(kept.kept);
        value["parameters"] = json!(found.parameters);
        value["trials"] = json!(found.trials);
        if let Some(trials) = value["trials"].as_array_mut() {
            for (value, trial) in trials.iter_mut().zip(&found.trials) {
                if let Some(agreement) = recording.agreement(&trial.light)? {
                    value["correlation"] = json!(agreement.correlation);
                }
            }
        }
        let agreement = self.agreement.as_ref();
        value["correlation"] = json!(agreement.map(|it| it.correlation));
        value["psnr"] = json!(agreement.map(|it| it.psnr));
        value["ssim"] = json!(agreement.map(|it| it.ssim));
        value["flip"] = json!(agreement.map(|it| it.flip.name()));
        value["transport_correlation"] = json!(self.transport);
        value["static_correlation"] = json!(self.still);
        value["baseline_nmf"] = json!(self.non_negative);
        value["baseline_singular"] = json!(self.singular);
        value["baseline_known_transport"] = json!(self.known);
        Ok(())
    }

    /// Tells what came of it.
    pub(super) fn tell(&self, found: &FoundLight, output: Option<&Path>, talk: Talk) {
        let kept = found.kept();
        let (what, of) = (found.parameters, found.trials.len());
        let which = match kept.objective {
            Some(objective) => {
                format!("one of {of} that were fitted last, objective {objective:.4},")
            }
            None => format!("seed {} of {of} kept", kept.seed),
        };
        talk.line(&format!(
            "{what} parameters, {which} after {} steps: {}",
            kept.steps, kept.reason
        ));
        talk.line(&format!("error of the product: {:.4}", kept.product_error));
        if let Some(agreement) = kept.agreement {
            talk.line(&format!("mean correlation with the others of them: {agreement:.3}"));
        }
        if let Some(error) = kept.held_out_error {
            talk.line(&format!("error of what is held out: {error:.4}"));
        }
        if let Some(agreement) = &self.agreement {
            talk.line(&format!(
                "correlation with the true light: {:.3} ({}), each pixel's mean over time taken off",
                agreement.correlation,
                agreement.flip.name()
            ));
            let named = [
                ("non-negative factors", Some(&self.non_negative)),
                ("singular vectors", Some(&self.singular)),
                ("the known transport", self.known.as_ref()),
            ];
            for (name, baseline) in named {
                if let Some(correlation) = baseline.and_then(|it| it.correlation) {
                    talk.line(&format!("  by {name}: {correlation:.3}"));
                }
            }
        }
        found.warnings.iter().for_each(|warning| talk.warning(warning));
        if [StopReason::Interrupted, StopReason::Diverged].contains(&found.reason()) {
            talk.warning(&found.reason().to_string());
        }
        if let Some(output) = output {
            talk.line(&format!("what was found: {}", output.display()));
        }
    }
}
