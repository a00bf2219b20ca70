//! `refdesk import`: a file through the same steps as on the pages.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, pin_mut};

use super::say::say;
use super::{NO, Refusal};
use crate::actor::{Actor, ActorKind};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db};
use crate::imports::table::Choices;
use crate::imports::{self, Asked, Counts, Import, Kind, NewImport, Options};
use crate::router;
use crate::text::counted;
use crate::{id, jobs};

#[derive(clap::Args)]
pub struct Args {
    /// CSV, TSV or JSON lines
    file: PathBuf,
    /// leads, referrers or qualifications
    #[arg(long, value_parser = kind)]
    kind: Kind,
    /// The campaign's number, or campaign_…
    #[arg(long)]
    campaign: String,
    /// What the columns are, from the left: code,email,-,name; a hyphen leaves one out
    #[arg(long)]
    columns: Option<String>,
    /// Generate codes for referrers who bring none
    #[arg(long)]
    generate: bool,
    /// Say what would come of every row, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object with the counts
    #[arg(long)]
    json: bool,
    /// Write the rejected rows to this file
    #[arg(long)]
    rejects: Option<PathBuf>,
}

fn kind(word: &str) -> Result<Kind, String> {
    Kind::parse(word).ok_or_else(|| "must be leads, referrers or qualifications".to_owned())
}

pub async fn import(config: Config, args: Args) -> Result<(), Refusal> {
    let file = File::open(&args.file).map_err(|e| Refusal::unusable(format!("{}: {e}", args.file.display())))?;
    db::migrate(&config.database_url).await?;
    let app = App::new(Db::open(&config.database_url).await?, Clock::system(), config);
    let actor = command_actor();
    let staged = stage(&app, &actor, &args, file).await?;
    let counts = run(&app, &actor, &args, &staged).await?;
    if let Some(path) = &args.rejects {
        write_rejects(&app, &staged, path).await?;
    }
    if args.dry_run {
        imports::discard(&app, &staged).await?;
    }
    app.db.close().await;
    if args.json {
        say!("{}", serde_json::to_string(&counts).map_err(|e| Refusal::unusable(e.to_string()))?);
    } else {
        say!("{}", words(&counts, args.kind, args.dry_run));
    }
    match counts.rejected() {
        0 => Ok(()),
        1 => Err(Refusal { code: NO, why: "1 row was not taken".into() }),
        n => Err(Refusal { code: NO, why: format!("{} rows were not taken", counted(n)) }),
    }
}

async fn stage(app: &App, actor: &Arc<Actor>, args: &Args, file: File) -> Result<Import, Refusal> {
    let unknown = || Refusal::unusable(format!("there is no campaign {}", args.campaign));
    let typed = args.campaign.trim();
    let campaign_id = typed.parse().ok().or_else(|| id::parse(id::Kind::Campaign, typed)).ok_or_else(unknown)?;
    let found = imports::campaign_of(&mut app.db.read().await?, campaign_id).await?;
    let (business_id, state) = found.ok_or_else(unknown)?;
    if state == "draft" && args.kind != Kind::Referrers {
        return Err(Refusal::unusable("the campaign is a draft, which takes test data only"));
    }
    let file_name = args.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let new = NewImport { business_id, campaign_id, kind: args.kind, file_name, created_by: None, may_pay: true };
    let id = imports::stage(app, actor, new, file, Choices::default(), imports::limits(&app.config))
        .await?
        .map_err(Refusal::unusable)?;
    let gone = || Refusal::unusable("the import no longer exists");
    let import = imports::find(&mut app.db.read().await?, business_id, id).await?.ok_or_else(gone)?;
    let mapping = match &args.columns {
        None => import.mapping(),
        Some(named) => match args.kind.named(import.columns().len(), named) {
            Ok(mapping) => mapping,
            Err(why) => {
                imports::discard(app, &import).await?;
                return Err(Refusal::unusable(format!("--columns {why}")));
            }
        },
    };
    if let Err(why) = args.kind.judge(&mapping) {
        imports::discard(app, &import).await?;
        return Err(Refusal::unusable(format!(
            "the columns are not recognised: {}. {why}",
            import.columns().join(", ")
        )));
    }
    let names = import.columns();
    let left: Vec<&str> = mapping.unmapped().into_iter().filter_map(|at| Some(names.get(at)?.as_str())).collect();
    if !left.is_empty() {
        eprintln!("Not imported: {}. To import one, say what the columns are with --columns.", left.join(", "));
    }
    imports::set_columns(app, &import, campaign_id, mapping, Options { generate: args.generate }).await?;
    Ok(import)
}

fn command_actor() -> Arc<Actor> {
    let (name, origin) = ("refdesk import".into(), "command".into());
    Arc::new(Actor { kind: ActorKind::Command, id: None, name, origin, call: None })
}

async fn run(app: &App, actor: &Arc<Actor>, args: &Args, import: &Import) -> Result<Counts, Refusal> {
    let asked = match args.dry_run {
        true => imports::ask_check(app, actor, import).await?,
        false => imports::ask_run_at_once(app, actor, import).await?,
    };
    let Asked::Job(job_id) = asked else { return Err(Refusal::unusable("the import was taken by somebody else")) };
    let progress = tokio::spawn(show_progress(app.clone(), import.business_id, job_id));
    let job = jobs::run_one(app, &router::job_kinds(), import.business_id, job_id).await;
    progress.abort();
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    let job = job?;
    if job.state == "failed" {
        return Err(Refusal::unusable(job.error.unwrap_or_default()));
    }
    serde_json::from_value(job.result()).map_err(|e| Refusal::unusable(e.to_string()))
}

/// The progress on one line of a terminal.
async fn show_progress(app: App, business_id: i64, job_id: i64) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let Ok(mut conn) = app.db.read().await else { continue };
        if let Ok(Some(job)) = jobs::find(&mut conn, business_id, job_id).await {
            let filled = usize::try_from(job.percent() / 4).unwrap_or_default();
            let bar: String = "#".repeat(filled) + &"-".repeat(25_usize.saturating_sub(filled));
            eprint!("\r[{bar}] {} of {} rows", counted(job.done), counted(job.total));
        }
    }
}

async fn write_rejects(app: &App, import: &Import, path: &PathBuf) -> Result<(), Refusal> {
    let wrong = |e: std::io::Error| Refusal::unusable(format!("{}: {e}", path.display()));
    let mut out = File::create(path).map_err(wrong)?;
    let pieces = imports::rejects(app.db.clone(), import.clone());
    pin_mut!(pieces);
    while let Some(piece) = pieces.next().await {
        out.write_all(&piece?).map_err(wrong)?;
    }
    out.sync_all().map_err(wrong)
}

fn words(counts: &Counts, kind: Kind, dry_run: bool) -> String {
    let came_of = imports::Fate::ALL
        .into_iter()
        .filter(|fate| counts.of(*fate) > 0)
        .map(|fate| format!("{} {}", counted(counts.of(fate)), fate.label(kind).to_lowercase()))
        .collect::<Vec<_>>()
        .join(", ");
    let dry = if dry_run { " Nothing was stored." } else { "" };
    format!("{} rows: {came_of}.{dry}", counted(counts.rows))
}
