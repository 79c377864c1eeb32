//! Fewer marks that look the same.

use super::canvas::Place;

/// At most so many dots are drawn of one layer.
pub(super) const MOST_DOTS: usize = 4_000;

/// How many of `count` dots stand for one that is drawn.
pub(super) fn stride(count: usize) -> usize {
    count.div_ceil(MOST_DOTS).max(1)
}

/// The first, lowest, highest and last of each run of places within a strip `strip` wide, in their order.
///
/// A curve that goes from left to right keeps its envelope with at most four places a strip.
pub(super) fn envelope(places: &[Place], strip: f64) -> Vec<Place> {
    let of = |place: &Place| (place.0 / strip).floor();
    let mut kept = Vec::new();
    for run in places.chunk_by(|a, b| of(a).total_cmp(&of(b)).is_eq()) {
        if run.len() <= 4 {
            kept.extend_from_slice(run);
            continue;
        }
        let (mut lowest, mut highest) = (0, 0);
        for (i, place) in run.iter().enumerate() {
            lowest = if place.1 > run[lowest].1 { i } else { lowest };
            highest = if place.1 < run[highest].1 { i } else { highest };
        }
        let mut keep = [0, lowest.min(highest), lowest.max(highest), run.len() - 1].to_vec();
        keep.dedup();
        kept.extend(keep.into_iter().map(|i| run[i]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_keeps_its_extremes_in_order() {
        let spike = 54_321;
        let places: Vec<Place> = (0..100_000)
            .map(|i| (f64::from(i) / 200.0, if i == spike { -7.0 } else { f64::from(i % 10) }))
            .collect();
        let kept = envelope(&places, 1.0);
        assert!(kept.len() <= 2_000, "{}", kept.len());
        assert!(kept.iter().any(|p| p.1.total_cmp(&-7.0).is_eq()));
        assert!(kept.is_sorted_by(|a, b| a.0 <= b.0));
        assert_eq!((kept[0], kept.last()), (places[0], places.last()));
    }

    #[test]
    fn a_short_curve_stays_as_it_is() {
        let places = [(0.0, 1.0), (0.1, 5.0), (9.0, 2.0)];
        assert_eq!(envelope(&places, 1.0), places);
        assert_eq!((stride(0), stride(4_000), stride(4_001)), (1, 1, 2));
    }
}
