//! The published examples of the contract, run as they stand: only host and key are changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::on_both_databases;
use crate::support::TestApp;

on_both_databases! { programs_written_for_the_original_work }

const EXAMPLES: &str = include_str!("../data/cashfin_leads.md");

/// The code under a heading in a language.
fn example(heading: &str, language: &str) -> &'static str {
    let (_, under) = EXAMPLES.split_once(&format!("## {heading}\n")).expect("a heading");
    let under = under.split("\n## ").next().unwrap_or_default();
    let (_, code) = under.split_once(&format!("```{language}\n")).expect("an example");
    code.split("\n```").next().unwrap_or_default()
}

/// A language: its name, its program, what to call a file of it, what to install.
const LANGUAGES: [(&str, &str, &str, &str); 4] = [
    ("bash", "bash", "sh", "bash and curl"),
    ("javascript", "node", "mjs", "nodejs"),
    ("python", "python3", "py", "python3 and python3-requests"),
    ("php", "php", "php", "php-cli and php-curl"),
];

/// True when a program is on the machine. Each is needed, but for PHP: not every machine has a package of it.
fn is_installed(program: &str, packages: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    assert!(found || program == "php", "{program} is missing: install {packages}, or run tests/run, which does");
    if !found {
        eprintln!("{program} is missing: its examples were not run. Install {packages}.");
    }
    found
}

/// Runs a text and answers what it printed, on one line.
async fn run(program: &str, folder: &Path, ending: &str, text: String) -> String {
    let file: PathBuf = folder.join(format!("example.{ending}"));
    std::fs::write(&file, &text).unwrap();
    let program = program.to_owned();
    let done = tokio::task::spawn_blocking(move || {
        let none = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"];
        let mut command = Command::new(&program);
        none.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.arg(&file).output().unwrap_or_else(|e| panic!("{program}: {e}"))
    });
    let done = done.await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{text}\n{said}\n{}", String::from_utf8_lossy(&done.stderr));
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// True when it printed the answer of a call that went well, in its language's way of writing.
#[track_caller]
fn went_well(said: &str) {
    let ways = ["\"success\":true", "success: true", "'success': True", "[success] => 1"];
    assert!(ways.iter().any(|way| said.contains(way)), "{said}");
}

async fn programs_written_for_the_original_work(app: TestApp) {
    let folder = tempfile::tempdir().unwrap();
    let here = |text: &str| {
        text.replace("https://api.cashfin.africa", app.url("").trim_end_matches('/'))
            .replace("cs_your_client_secret", &app.business.api_key)
    };
    let mut leads = 0_i64;
    for (language, program, ending, packages) in LANGUAGES {
        if !is_installed(program, packages) {
            continue;
        }
        for email in ["[email protected]", "jane@example.com"] {
            let create = here(example("Create a lead", language)).replace("[email protected]", email);
            let said = run(program, folder.path(), ending, create).await;
            went_well(&said);
            assert!(said.contains("Lead created successfully") && said.contains("50000"), "{said}");
            leads += 1;
            let newest = app.api_get("/business/lead/list").await.is(200).json();
            assert_eq!(
                (&newest["meta"]["total"], &newest["data"][0]["email"]),
                (&json!(leads), &json!(email)),
                "{language}"
            );
        }
        let said = run(program, folder.path(), ending, here(example("List leads", language))).await;
        went_well(&said);
        assert!(said.contains("Jane Smith") && said.contains("pagination"), "{said}");
    }
    let key = format!("const API_KEY = \"{}\";\n", app.business.api_key);
    let form =
        "\nawait handleContactForm({fullName: 'Amina', email: 'amina@example.com', phone: '', message: 'Hello'});";
    let script = key.clone() + &here(example("Capture web form submissions", "javascript")) + form;
    let said = run("node", folder.path(), "mjs", script).await;
    assert!(said.starts_with("Lead captured: ") && said.len() == "Lead captured: ".len() + 24, "{said}");
    let bulk = "\nawait importLeads(Array.from({length: 400}, (_, n) => ({name: `Lead ${n}`, email: `lead${n % 350}@example.com`})));";
    let script = key + &here(example("Import leads in bulk", "javascript")) + bulk;
    let said = run("node", folder.path(), "mjs", script).await;
    let total = app.api_get("/business/lead/list").await.is(200).json()["meta"]["total"].as_i64().unwrap();
    // On a machine that is busy with other things some may be asked to come back, which this program does not:
    // its answer is what is stored. (Hundreds at once that are all stored have a test of their own.)
    assert_eq!(said, format!("Imported {} of 400 leads", total - leads - 1));
    assert!(total > leads + 1, "{said}");
}
