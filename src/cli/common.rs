//! Parts that several commands share: opening the database, finding the business, the actor, and printing
//! answers.

use std::io::{BufRead, IsTerminal};
use std::sync::Arc;

use serde::Serialize;

use super::Refusal;
use super::say::say;
use crate::actor::{Actor, ActorKind};
use crate::app::App;
use crate::business::{self, BusinessRow};
use crate::clock::{Clock, Instant};
use crate::config::Config;
use crate::db::{self, Conn, Db};

/// Refuses a database file that is missing: it is a mistyped address, so none is created.
pub fn is_there(config: &Config) -> Result<(), Refusal> {
    if let Some(file) = db::file_of(&config.database_url)
        && !file.exists()
    {
        return Err(Refusal::unusable(format!(
            "there is no database {}; say which with --database-url, or make one with `refdesk setup`",
            file.display()
        )));
    }
    Ok(())
}

/// Opens an existing database.
pub async fn open(config: Config) -> Result<App, Refusal> {
    is_there(&config)?;
    db::migrate(&config.database_url).await?;
    Ok(App::new(Db::open(&config.database_url).await?, Clock::system(), config))
}

/// The business that is meant: the only one, where none is named.
pub async fn business(conn: &mut Conn, wanted: Option<&str>) -> Result<BusinessRow, Refusal> {
    if let Some(wanted) = wanted {
        let found = business::by_public_id(conn, wanted.trim()).await?;
        return found.ok_or_else(|| Refusal::unusable(format!("there is no business {wanted}")));
    }
    let mut all = business::all(conn).await?;
    match (all.pop(), all.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => Err(Refusal::unusable("there is no business yet: run refdesk setup first")),
        (Some(last), others) => {
            let names: Vec<String> =
                others.iter().chain([&last]).map(|b| format!("{} {}", b.public_id, b.name)).collect();
            Err(Refusal::unusable(format!("say which business, with --business: {}", names.join(", "))))
        }
    }
}

/// The actor of the audit entries.
pub fn actor(command: &str) -> Arc<Actor> {
    Arc::new(Actor {
        kind: ActorKind::Command,
        id: None,
        name: format!("refdesk {command}"),
        origin: "command".into(),
        call: None,
    })
}

pub fn read_password() -> Result<String, Refusal> {
    read_line("The new password (it is shown as you type):")
}

/// The line that is typed, after these words, or piped in.
pub fn read_line(asked: &str) -> Result<String, Refusal> {
    let input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("{asked}");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line).map_err(|e| Refusal::unusable(format!("no standard input: {e}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

pub fn print_json(value: &impl Serialize) -> Result<(), Refusal> {
    say!("{}", serde_json::to_string(value).map_err(|e| Refusal::unusable(e.to_string()))?);
    Ok(())
}

/// Columns under their names, as wide as their widest cell.
pub fn print_table(head: &[&str], rows: &[Vec<String>]) {
    let mut lines: Vec<Vec<String>> = vec![head.iter().map(|name| name.to_uppercase()).collect()];
    lines.extend_from_slice(rows);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        say!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// An instant as programs read it.
pub fn instant(micros: i64) -> String {
    Instant::from_micros(micros).to_rfc3339_millis()
}
