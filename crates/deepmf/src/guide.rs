//! The pages of the guide and the README, whose Rust runs with the tests of the documentation.

/// Makes a module of a page, relative to the root of the project.
macro_rules! page {
    ($name:ident, $path:literal) => {
        #[doc = include_str!(concat!("../../../", $path))]
        mod $name {}
    };
}

page!(readme, "README.md");
page!(index, "docs/index.md");
page!(tutorial, "docs/tutorial.md");
page!(data, "docs/data.md");
page!(problem, "docs/problem.md");
page!(model, "docs/model.md");
page!(analysis, "docs/analysis.md");
page!(train, "docs/train.md");
page!(completion, "docs/apps/completion.md");
page!(sensing, "docs/apps/sensing.md");
page!(ratings, "docs/apps/ratings.md");
page!(clustering, "docs/apps/clustering.md");
page!(light_transport, "docs/apps/light-transport.md");
page!(report, "docs/report.md");
page!(experiment, "docs/experiment.md");
page!(experiment_keys, "docs/experiment-keys.md");
page!(python, "docs/python.md");
page!(python_migration, "docs/python-migration.md");
page!(cookbook, "docs/cookbook.md");
page!(interface, "docs/interface.md");
page!(design, "docs/design.md");
page!(gpu, "docs/gpu.md");
page!(glossary, "docs/glossary.md");
page!(contributing, "CONTRIBUTING.md");
