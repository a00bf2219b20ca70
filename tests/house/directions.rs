//! The allowed imports, by one table, and the largest circle of files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::imports::{Import, circles, imports};

/// The layer of a file, by its path. A feature's file that takes the core or events in is a verb, the others are nouns
/// and reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Main,
    Cli,
    Router,
    Pages,
    Api,
    Shell,
    Web,
    App,
    Intake,
    Verb,
    Jobs,
    Core,
    Engine,
    Read,
    Store,
    Db,
    Value,
}

const VALUES: [&str; 26] = [
    "actor",
    "amounts",
    "clock",
    "code",
    "config",
    "email",
    "fold",
    "id",
    "keyring",
    "lib",
    "limits",
    "meta",
    "misheard",
    "money",
    "month",
    "number",
    "pasted",
    "phone",
    "places",
    "query",
    "secret_key",
    "sound",
    "spelling",
    "text",
    "tls",
    "when",
];

pub fn is_store(path: &str) -> bool {
    let engine = ["engine/load/", "engine/save/"];
    path.ends_with("/store.rs") || path.contains("/store/") || engine.iter().any(|folder| path.starts_with(folder))
}
pub fn is_pages(path: &str) -> bool {
    path.ends_with("/pages.rs") || path.contains("/pages/")
}

/// By its place alone: every file of a feature is a read here.
fn placed(path: &str) -> Layer {
    let folder = path.split('/').next().unwrap_or_default();
    match folder {
        "main.rs" => Layer::Main,
        // The demo is a command that plays a business: it does what pages do.
        "cli" | "demo" => Layer::Cli,
        "router.rs" => Layer::Router,
        "api" => Layer::Api,
        "shell" => Layer::Shell,
        "web" => Layer::Web,
        "app.rs" => Layer::App,
        "intake" => Layer::Intake,
        "jobs" => Layer::Jobs,
        "core.rs" => Layer::Core,
        "engine" => Layer::Engine,
        "db" => Layer::Db,
        _ if VALUES.iter().any(|v| folder == format!("{v}.rs")) => Layer::Value,
        _ if is_pages(path) => Layer::Pages,
        _ if is_store(path) => Layer::Store,
        _ => Layer::Read,
    }
}

/// The layer of every file.
fn layers(files: &[String], imports: &[Import]) -> BTreeMap<String, Layer> {
    let mut layers: BTreeMap<String, Layer> = files.iter().map(|f| (f.clone(), placed(f))).collect();
    loop {
        let above = |to: &str| matches!(layers.get(to), Some(Layer::Verb | Layer::Intake | Layer::Jobs | Layer::Core));
        let found: BTreeSet<String> = imports
            .iter()
            .filter(|i| layers.get(&i.from) == Some(&Layer::Read) && above(&i.to))
            .map(|i| i.from.clone())
            .collect();
        if found.is_empty() {
            return layers;
        }
        layers.extend(found.into_iter().map(|file| (file, Layer::Verb)));
    }
}

use Layer as L;

/// A layer, what it may import beside itself, and why no more.
const MAY: [(Layer, &[Layer], &str); 17] = [
    (L::Main, &[L::Cli], "main reads the command line and calls the library, nothing else"),
    (
        L::Cli,
        &[
            L::Router,
            L::Pages,
            L::Api,
            L::Shell,
            L::Web,
            L::App,
            L::Intake,
            L::Verb,
            L::Jobs,
            L::Core,
            L::Engine,
            L::Read,
            L::Store,
            L::Db,
            L::Value,
        ],
        "a command may use the whole program; nothing but main calls a command",
    ),
    (
        L::Router,
        &[L::Pages, L::Api, L::Shell, L::Web, L::App, L::Verb, L::Jobs, L::Core, L::Read, L::Db, L::Value],
        "the router names every feature, so only commands may import it",
    ),
    (
        L::Pages,
        &[L::Api, L::Shell, L::Web, L::App, L::Verb, L::Jobs, L::Core, L::Engine, L::Read, L::Store, L::Db, L::Value],
        "a page calls verbs and is called by the router",
    ),
    (
        L::Api,
        &[
            L::Shell,
            L::Web,
            L::App,
            L::Intake,
            L::Verb,
            L::Jobs,
            L::Core,
            L::Engine,
            L::Read,
            L::Store,
            L::Db,
            L::Value,
        ],
        "a contract calls verbs and is called by the router",
    ),
    (
        L::Shell,
        &[L::Web, L::App, L::Core, L::Engine, L::Read, L::Store, L::Db, L::Value],
        "a frame reads what it shows, and stores sessions and forms",
    ),
    (L::Web, &[L::Db, L::Value], "what every page needs knows no feature and no state of the program"),
    (L::App, &[L::Core, L::Read, L::Db, L::Value], "the state holds caches; it does nothing with them"),
    (
        L::Intake,
        &[L::Verb, L::Core, L::Engine, L::Read, L::Store, L::Db, L::Value],
        "a raw event becomes an event of the engine, whatever brought it",
    ),
    (
        L::Verb,
        &[L::Intake, L::Jobs, L::Core, L::Engine, L::Read, L::Store, L::Db, L::Value],
        "a verb does not know who calls it: a page, an API, a job or a command",
    ),
    (L::Jobs, &[L::Core, L::Db, L::Value], "workers know no kind of job: the router names the kinds"),
    (L::Core, &[L::Engine, L::Db, L::Value], "what every verb takes knows no verb"),
    (
        L::Engine,
        &[L::Read, L::Store, L::Db, L::Value],
        "the engine is the same for pages, APIs, imports and jobs, and knows none of them",
    ),
    (
        L::Read,
        &[L::Engine, L::Store, L::Db, L::Value],
        "nouns and reads stand below the core: the engine, frames and the state use them",
    ),
    (
        L::Store,
        &[L::Engine, L::Read, L::Db, L::Value],
        "SQL is called, it calls nobody: a store knows nouns and the database",
    ),
    (L::Db, &[L::Value], "the database facade serves every feature and knows none"),
    (L::Value, &[], "a value type knows nothing of the application, so that everything may use it"),
];

/// Files that import each other, at most. Each circle stays within one folder of `src`.
const CIRCLE: usize = 6;

fn read() -> (Vec<String>, Vec<Import>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    super::files(&root, "rs", &mut found);
    found.retain(|path| !path.ends_with("tests.rs") && !path.to_string_lossy().contains("/tests/"));
    let names = found.iter().map(|p| p.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/")).collect();
    (names, imports(&root, &found))
}

#[test]
fn imports_run_one_way() {
    let (files, imports) = read();
    assert!(imports.len() > 5_000, "the search for imports has gone blind");
    let layers = layers(&files, &imports);
    let mut wrong = Vec::new();
    for import in &imports {
        let (from, to) = (layers[&import.from], layers[&import.to]);
        let (_, may, why) = MAY.iter().find(|(layer, ..)| *layer == from).unwrap();
        if from != to && !may.contains(&to) {
            let Import { from: file, line, to: target, name } = import;
            wrong.push(format!("src/{file}:{line} ({from:?}) uses {name} of src/{target} ({to:?}): {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The published contracts. What two of them have in common stands beside them in `src/api`.
const CONTRACTS: [&str; 4] = ["api/refairn", "api/cashfin", "api/referral_factory", "api/v1"];

#[test]
fn a_contract_is_imported_by_nobody() {
    let contract = |file: &str| {
        CONTRACTS.into_iter().find(|c| file.strip_prefix(c).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')))
    };
    let (files, imports) = read();
    for one in CONTRACTS {
        assert!(files.iter().any(|file| contract(file) == Some(one)), "{one} is a contract no more");
    }
    let mut wrong = Vec::new();
    for Import { from, line, to, name } in &imports {
        if contract(to).is_some_and(|of| contract(from) != Some(of)) && from != "api/mod.rs" {
            wrong.push(format!(
                "src/{from}:{line} uses {name} of src/{to}: a contract changes with its product and with nothing else"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn circles_of_files_are_small() {
    let (_, imports) = read();
    let folder = |file: &str| file.split('/').next().unwrap_or_default().to_owned();
    let mut wrong = Vec::new();
    for circle in circles(&imports) {
        let folders: BTreeSet<String> = circle.iter().map(|file| folder(file)).collect();
        if circle.len() > CIRCLE || folders.len() > 1 {
            let ties = imports.iter().filter(|i| circle.contains(&i.from) && circle.contains(&i.to));
            let ties: Vec<String> =
                ties.map(|i| format!("  src/{}:{} uses {} of src/{}", i.from, i.line, i.name, i.to)).collect();
            wrong.push(format!(
                "{} files import each other: none of them can be read or changed alone.\n{}",
                circle.len(),
                ties.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
