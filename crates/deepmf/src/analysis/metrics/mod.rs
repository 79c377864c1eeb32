//! How good predictions are: ratings, probabilities of levels, ranked lists, and hidden videos.

mod levels;
mod ranking;
mod ratings;
mod similarity;
mod video;

pub use levels::{Reliability, level_log_loss, reliability};
pub use ranking::{hit, ndcg, precision, recall};
pub use ratings::{exact_rate, mean_absolute_error, root_mean_square_error};
pub use similarity::structural_similarity;
pub use video::{Agreement, Flip, compare_lines, compare_videos, temporal_correlation};
