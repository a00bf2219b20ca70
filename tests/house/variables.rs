//! Settings that are written down for operators are settings that the program reads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{files, sources};

/// The variables of Refdesk in a text.
fn variables(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("REFDESK_")).collect()
}

/// Every file that an operator copies from: the pages, and what they are run with.
fn written_down(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.join("README.md"), root.join("Dockerfile")];
    for ending in ["md", "yaml", "service", "timer", "conf"] {
        files(&root.join("docs"), ending, &mut found);
    }
    found.push(root.join("docs/deploy/Caddyfile"));
    found
}

#[test]
fn a_setting_that_is_written_down_exists() {
    let sources = sources();
    let known: BTreeSet<&str> = sources
        .iter()
        .flat_map(|s| &s.strings)
        .map(|l| l.text.as_str())
        .filter(|t| t.starts_with("REFDESK_"))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut named, mut wrong) = (0, Vec::new());
    for path in written_down(root) {
        let text = std::fs::read_to_string(&path).unwrap();
        let found = variables(&text);
        named += found.len();
        for unknown in found.difference(&known) {
            wrong.push(format!("{}: {unknown}: the program reads no such variable", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(named > 10, "only {named} settings were found: the search for them has gone blind");
}
