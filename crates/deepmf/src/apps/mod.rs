//! The uses: combinations of a problem, a model and an optimizer.

mod baseline;
mod by_flow;
mod by_split;
mod calibration;
mod cell;
mod cluster_files;
mod clustering;
mod completed;
mod completion;
mod conformal;
mod cross_validation;
mod descent;
mod ensemble;
mod fold_in;
mod folds;
mod holes;
mod light_baselines;
mod light_files;
mod light_transport;
mod measured;
mod missingness;
mod offsets;
mod part;
mod recommender;
mod recording;
mod row_shard;
mod saved;
mod selection;
mod sensing;
mod start;

pub use baseline::Baselines;
pub use cell::{Filled, HeldOut, TruthErrors};
pub use cluster_files::{ClusterFiles, best_of};
pub use clustering::{Clustered, Clustering};
pub use completed::Completed;
pub use completion::Completion;
pub use conformal::Intervals;
pub use light_baselines::{CompareLight, LightBaseline, LightBaselines};
pub use light_files::LightFiles;
pub use light_transport::{FoundLight, LightLook, LightTransport, LightTrial};
pub use offsets::Offsets;
pub use recommender::{
    Compared, Evaluation, Explanation, FoldedIn, Ids, Known, Prediction, Ranking, RankingSettings,
    Recommender, Recommends, Share, compare_recommenders,
};
pub use recording::{Observed, Recording};
pub use row_shard::{RowShard, RowShardSettings, RowTotals};
pub use selection::{Candidate, Stage};
pub use sensing::{Sensed, Sensing};
