//! Views as a method takes them, with the graphs that it asks for; nothing here is drawn.

use std::sync::Arc;

use super::ready::{Ready, prepared};
use crate::Result;
use crate::analysis::{FusedGraph, NeighbourGraph, usual_neighbours};
use crate::spec::{ClusteringMethod, ClusteringSettings, PartitionStart};
use crate::train::multi_view::Prepared;

/// Views as a method takes them.
pub(super) struct Gathered {
    pub(super) views: Vec<Prepared>,
    /// The graph of all views, where a start asks for it.
    pub(super) graph: Option<FusedGraph>,
}

impl Gathered {
    pub(super) fn new(settings: &ClusteringSettings, ready: &Ready, k: usize) -> Result<Self> {
        let mut views = Vec::new();
        let (alternates, factors) = kind(settings.method);
        if !alternates {
            return Ok(Self { views, graph: None });
        }
        let by_graph = settings.first_start() == PartitionStart::Graph;
        let fused = factors && by_graph;
        let weighted = factors && settings.graph_weight() > 0.0;
        let neighbours = settings.neighbours.unwrap_or(usual_neighbours(ready.samples));
        let mut graphs = Vec::new();
        for view in &ready.views {
            let mut own = prepared(view);
            if by_graph || weighted {
                let graph = NeighbourGraph::new(std::slice::from_ref(view), neighbours)?;
                let normal = settings.method != ClusteringMethod::Dmvc;
                let of_view = if normal { graph.clone().normalised() } else { graph.clone() };
                let whole = own.present.len() == ready.samples;
                own.graph =
                    Some(Arc::new(if whole { of_view } else { of_view.restricted(&own.present) }));
                graphs.push(graph);
            }
            views.push(own);
        }
        let graph = if fused {
            let together = NeighbourGraph::new(&ready.views, neighbours)?;
            Some(FusedGraph::new(&graphs, &together, k)?)
        } else {
            None
        };
        Ok(Self { views, graph })
    }
}

/// Whether a method alternates, and whether it factors views.
fn kind(method: ClusteringMethod) -> (bool, bool) {
    match method {
        ClusteringMethod::KMeans
        | ClusteringMethod::KMeansBestView
        | ClusteringMethod::Spectral => (false, false),
        ClusteringMethod::LateFusion | ClusteringMethod::OnePass | ClusteringMethod::Awdmvc => {
            (true, false)
        }
        _ => (true, true),
    }
}
