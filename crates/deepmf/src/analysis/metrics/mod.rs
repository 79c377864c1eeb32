//! How good predictions are: ratings, probabilities of levels, ranked lists, clusters, and hidden videos.

mod agreements;
mod clustering;
mod levels;
mod ranking;
mod ratings;
mod similarity;
mod video;

pub use agreements::{Agreements, Scores};
pub use clustering::{Agreement, Normalizer, silhouette, silhouette_of_views};
pub use levels::{Reliability, level_log_loss, reliability};
pub use ranking::{hit, ndcg, precision, recall};
pub use ratings::{exact_rate, mean_absolute_error, root_mean_square_error};
pub use similarity::structural_similarity;
pub use video::{
    Flip, VideoAgreement, compare_lines, compare_videos, correlation, static_correlation,
    temporal_correlation, transport_correlation,
};
