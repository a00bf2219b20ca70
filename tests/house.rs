//! Rules of the house that can be checked are checked: each failure names file, line and the reason.

mod connections;
mod directions;
mod imports;
mod variables;

use std::path::{Path, PathBuf};

use refdesk::db::sql_built;

use crate::on_both_databases;
use crate::support::EmptyApp;
use directions::{is_pages, is_store};

on_both_databases! { every_fixed_sql_text_is_one_both_engines_understand }

/// A source file, with comments and its tests blanked out and strings in a list of their own.
struct Source {
    /// Below src, with slashes.
    path: String,
    /// Line by line, without comments, strings and `#[cfg(test)]` modules.
    lines: Vec<String>,
    /// Every string literal, with the line it begins on and the code before it on that line.
    strings: Vec<Literal>,
}

struct Literal {
    line: usize,
    /// The code directly before it, without white space.
    before: String,
    text: String,
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, "rs", &mut found);
    let sources: Vec<Source> = found.iter().map(|path| Source::read(&root, path)).collect();
    assert!(sources.len() > 50, "the search for sources has gone blind");
    sources.into_iter().filter(|s| !s.path.ends_with("/tests.rs") && !s.path.contains("/tests/")).collect()
}

impl Source {
    fn read(root: &Path, file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let (code, strings) = split(text);
        let path = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        Self { path, lines: code.lines().map(str::to_owned).collect(), strings }
    }
}

/// Code without comments and strings, and the strings.
fn split(text: &str) -> (String, Vec<Literal>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut strings, mut i, mut line) = (String::new(), Vec::new(), 0, 1);
    while i < chars.len() {
        let next = chars.get(i + 1).copied();
        match chars[i] {
            '/' if next == Some('/') => {
                while i < chars.len() && chars[i] != '\n' {
                    i += 1;
                }
            }
            // A character literal, which may be a quote; a lifetime is left alone.
            '\'' if next == Some('\\') || chars.get(i + 2) == Some(&'\'') => {
                i += if next == Some('\\') { 3 } else { 2 };
                while chars[i] != '\'' {
                    i += 1;
                }
                i += 1;
            }
            '"' => {
                let before = code.trim_end().lines().last().unwrap_or_default().replace(' ', "");
                let (start, mut literal) = (line, String::new());
                i += 1;
                while chars[i] != '"' {
                    if chars[i] == '\n' {
                        line += 1;
                        code.push('\n');
                    }
                    if chars[i] == '\\' {
                        i += 1;
                        match chars[i] {
                            'n' => literal.push('\n'),
                            '\n' => {
                                line += 1;
                                code.push('\n');
                                while chars[i + 1].is_whitespace() {
                                    i += 1;
                                }
                            }
                            other => literal.push(other),
                        }
                    } else {
                        literal.push(chars[i]);
                    }
                    i += 1;
                }
                i += 1;
                strings.push(Literal { line: start, before, text: literal });
                code.push_str("\"\"");
            }
            c => {
                if c == '\n' {
                    line += 1;
                }
                code.push(c);
                i += 1;
            }
        }
    }
    (code, strings)
}

fn is_pure(path: &str) -> bool {
    let pure = ["engine/rules/", "engine/event/", "engine/facts"];
    let alone = ["engine/settle.rs", "engine/state.rs", "engine/decision.rs", "engine/subjects.rs"];
    pure.iter().any(|p| path.starts_with(p)) || alone.contains(&path)
}

#[test]
fn only_pages_and_apis_name_the_web_framework() {
    let may = |path: &str| {
        let layers = ["web/", "shell/", "api/", "cli/serve.rs", "app.rs", "router.rs"];
        is_pages(path) || layers.iter().any(|l| path.starts_with(l))
    };
    for source in sources().iter().filter(|s| !may(&s.path)) {
        for (at, line) in source.lines.iter().enumerate() {
            // The spelling of an address belongs to no framework.
            let line = line.replace("axum::http::uri::", "");
            assert!(
                !line.contains("axum::") && !line.contains("tower_sessions::"),
                "src/{}:{}: a verb that takes a type of the web framework cannot be called by an import or a command",
                source.path,
                at + 1
            );
        }
    }
}

/// True when a text is a statement, or a piece that only makes sense in one.
fn is_sql(text: &str) -> bool {
    let begins = ["SELECT ", "INSERT INTO ", "DELETE FROM ", "UPDATE ", "WITH ", "CREATE ", "ALTER "];
    let text = text.trim_start();
    begins.iter().any(|b| text.starts_with(b))
        && (text.contains(" FROM ") || text.contains(" SET ") || text.contains("VALUES") || text.contains("TABLE"))
}

#[test]
fn sql_is_written_in_stores_only() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| !is_store(&s.path) && !s.path.starts_with("db/")) {
        for literal in source.strings.iter().filter(|l| is_sql(&l.text)) {
            wrong.push(format!(
                "src/{}:{}: SQL belongs in the feature's store.rs, where it is looked for",
                source.path, literal.line
            ));
        }
        for (at, line) in source.lines.iter().enumerate() {
            if line.contains("sqlx") {
                wrong.push(format!(
                    "src/{}:{}: only src/db knows which database it is and how it is spoken to",
                    source.path,
                    at + 1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rules_of_money_do_no_input_and_output() {
    for source in sources().iter().filter(|s| is_pure(&s.path)) {
        for (at, line) in source.lines.iter().enumerate() {
            let impure = ["async ", ".await", "std::fs", "std::env", "rand::", "tokio::"];
            let found = impure.iter().find(|word| line.contains(**word));
            assert!(found.is_none(), "src/{}:{}: {found:?}: a rule decides on what it was given", source.path, at + 1);
        }
    }
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.lines.len();
        if lines > 600 {
            wrong.push(format!("src/{} has {lines} lines: what lives in it is more than one thing", source.path));
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut templates = Vec::new();
    files(&root, "html", &mut templates);
    for path in templates {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        if lines > 200 {
            wrong.push(format!("{} has {lines} lines: compose it of macros", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_form_that_changes_something_carries_a_stamp() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut templates = Vec::new();
    files(&root, "html", &mut templates);
    // These pages are for people who are not signed in.
    let open = ["users/sign_in.html", "users/no_business.html", "team/accept.html", "setup/new.html"];
    for path in templates.iter().filter(|path| !open.iter().any(|page| path.ends_with(page))) {
        let text = std::fs::read_to_string(path).unwrap();
        for form in text.split("<form").skip(1).filter(|form| form.contains("method=\"post\"")) {
            let form = form.split("</form").next().unwrap_or_default();
            let stamped =
                ["frame.stamped()", "frame.stamped_address(", "stamp.text()"].iter().any(|s| form.contains(s));
            assert!(stamped, "{}: a form without a stamp acts wherever its browser is: <form{form}", path.display());
        }
    }
}

#[test]
fn templates_hold_no_script_or_style_of_their_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut templates = Vec::new();
    files(&root, "html", &mut templates);
    for path in templates {
        for (at, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let inline = [" style=\"", " onclick=", " onchange=", " onsubmit=", "<script>", "<style", "javascript:"];
            let found = inline.iter().find(|word| line.contains(**word));
            assert!(
                found.is_none(),
                "{}:{}: {found:?} is blocked by the content security policy",
                path.display(),
                at + 1
            );
            let outside = ["src=\"http", "href=\"//", "src=\"//", "@import"];
            let found = outside.iter().find(|word| line.contains(**word));
            assert!(
                found.is_none(),
                "{}:{}: {found:?}: no page asks another host for anything",
                path.display(),
                at + 1
            );
        }
    }
}

/// Statements that are not prepared: they steer a transaction.
fn steers(text: &str) -> bool {
    let words = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ", "PRAGMA", "ANALYZE"];
    words.iter().any(|w| text.trim_start().starts_with(w))
}

/// Texts that only one engine is ever asked.
fn is_for_one_engine(text: &str) -> bool {
    text.contains("pg_") || text.contains("pragma_") || text.contains("sqlite_")
}

async fn every_fixed_sql_text_is_one_both_engines_understand(app: EmptyApp) {
    let mut conn = app.app.db.read().await.unwrap();
    let (mut seen, mut wrong) = (0, Vec::new());
    for source in sources() {
        for literal in &source.strings {
            let handed_over = literal.before.ends_with("sql(") && !literal.before.ends_with("_sql(");
            if !handed_over || steers(&literal.text) || is_for_one_engine(&literal.text) {
                continue;
            }
            seen += 1;
            let text = &literal.text;
            let asked =
                if app.is_postgres() { format!("PREPARE house_{seen} AS {text}") } else { format!("EXPLAIN {text}") };
            if let Err(error) = sql_built(asked).execute(&mut conn).await {
                wrong.push(format!("src/{}:{}: {error}\n{text}", source.path, literal.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(seen > 60, "only {seen} texts were found: the search for sql(\"…\") has gone blind");
}

#[test]
fn a_template_line_is_short_enough_to_be_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut templates = Vec::new();
    files(&root, "html", &mut templates);
    for path in templates {
        for (at, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let long = line.chars().count();
            assert!(
                long <= 160,
                "{}:{}: {long} characters: one element a line, so that a change shows as the lines it touches",
                path.display(),
                at + 1
            );
        }
    }
}

/// A condition that a partial index has leads SQLite away from the key, to reading that index whole for every set.
#[test]
fn rows_are_updated_by_their_keys() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in sources() {
        for literal in source.strings.iter().filter(|l| l.before.contains("update_rows!(") || l.before.ends_with("and"))
        {
            seen += usize::from(literal.text.contains(" = r.version"));
            if [".state = ", " IS NULL", " IS NOT NULL"].iter().any(|plain| literal.text.contains(plain)) {
                wrong.push(format!("src/{}:{}: {}", source.path, literal.line, literal.text));
            }
        }
    }
    assert!(seen > 5, "the search for updates has gone blind: {seen}");
    assert!(wrong.is_empty(), "conditions beside the key that an index may serve: {wrong:#?}");
}
