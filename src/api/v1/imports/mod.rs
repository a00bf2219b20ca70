//! Imports: a file of customers, leads or referrers takes the same steps as on the pages. Its rows are
//! stored, examined or applied in the background, and each has its outcome.

mod shape;

use std::io::Cursor;

use axum::Json;
use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::common::{campaign, nothing, path_id};
use super::jobs::a_moment;
use super::part::{Hits, Page, Part, page};
use super::window::USUAL;
use crate::api::Caller;
use crate::api::operation::{Api, Operation};
use crate::api::problem::{FieldProblem, Problem};
use crate::api::read::{Asked, InPath, SentCsv};
use crate::app::App;
use crate::campaigns;
use crate::db::{DbError, DbResult};
use crate::id::Kind;
use crate::imports::Mapping;
use crate::imports::table::Choices;
use crate::imports::{self, Asked as Begun, Import, Kind as FileKind, NewImport, Options};
use shape::{ImportAnswer, ImportAsked, ImportRow, ImportRows, ImportsAsked, RowsAsked};

/// The largest file that comes by a call; larger ones go by the page or the command.
const LARGEST: usize = 16 * 1024 * 1024;
const ID: &str = "Its id: `import_…` or the integer.";

pub fn calls(api: Api) -> Api {
    api.with(
        Operation::post("/v1/imports", "createImport", "Upload a file")
            .once()
            .about("A CSV or TSV file of at most 16 MiB as the body. `qualifications` are converted customers: each is qualified by code, e-mail or both. `leads` are added, with their codes; `referrers` are added, with codes of their own or generated ones (needs the scope `referrers:write` as well). Columns are recognised by their names, or set by `columns`. With `dry_run` every row shows its expected outcome, and `POST /v1/imports/{import}/run` runs it. Long imports run in the background: 202. Files hold live data, so a test key may not send one.")
            .scope("leads:write")
            .largest(LARGEST)
            .asks::<ImportAsked>()
            .takes_csv("code,email,name\nAGENT123,jane@example.com,Jane Smith\n,omar@example.com,Omar Haddad\n")
            .answers::<ImportAnswer>(201, "The import is done: the outcome of the rows.", "")
            .link("getImport", "import", "/id")
            .link("listImportRows", "import", "/id")
            .answers::<ImportAnswer>(202, "It goes on in the background.", "")
            .refuses(&[409]),
        create,
    )
    .with(
        Operation::get("/v1/imports", "listImports", "List imports")
            .about("The newest first.")
            .scope("leads:read")
            .asks::<ImportsAsked>()
            .answers::<Page<ImportAnswer>>(200, "A page of imports.", "")
            .link("getImport", "import", "/data/0/id")
            .link("listImportRows", "import", "/data/0/id"),
        list,
    )
    .with(
        Operation::get("/v1/imports/{import}", "getImport", "Read how far an import has come")
            .about("With the counts of its rows so far.")
            .scope("leads:read")
            .in_path("import", ID)
            .answers::<ImportAnswer>(200, "The import as it is now.", "")
            .refuses(&[404]),
        show,
    )
    .with(
        Operation::get("/v1/imports/{import}/rows", "listImportRows", "List the rows of an import")
            .about("In the order of the file, each with its outcome; for a dry run, with its expected outcome.")
            .scope("leads:read")
            .in_path("import", ID)
            .asks::<RowsAsked>()
            .answers::<ImportRows>(200, "A page of rows.", "")
            .refuses(&[404]),
        rows,
    )
    .with(
        Operation::get("/v1/imports/{import}/rejects", "getImportRejects", "The rows that were not taken, as a file")
            .about("To correct and upload again: the columns of the file, and why.")
            .scope("leads:read")
            .in_path("import", ID)
            .answers_kind::<String>(200, "The file.", "text/csv", r#""code,email,name,Reason\nNOBODY,jane@example.com,Jane Smith,no code of this business reads like that\n""#)
            .refuses(&[404]),
        rejects,
    )
    .with(
        Operation::post("/v1/imports/{import}/run", "runImport", "Run an import after its dry run")
            .once()
            .about("Asked for twice, it is done once. One that was given up goes on where it stopped.")
            .scope("leads:write")
            .in_path("import", ID)
            .answers::<ImportAnswer>(200, "The import is done: the outcome of the rows.", "")
            .answers::<ImportAnswer>(202, "It goes on in the background.", "")
            .refuses(&[404, 409]),
        run,
    )
    .with(
        Operation::delete("/v1/imports/{import}", "discardImport", "Throw an import away")
            .about("Only one that has not been run.")
            .scope("leads:write")
            .in_path("import", ID)
            .answers_nothing(204, "It is gone; nothing of it was applied.")
            .refuses(&[404, 409]),
        discard,
    )
}

/// Referrers are another scope's matter.
fn may_bring(caller: &Caller, kind: FileKind) -> Result<(), Problem> {
    if caller.test() {
        return Err(Problem::forbidden("Files bring live data: send them with a live key."));
    }
    if kind == FileKind::Referrers && !caller.key.may("referrers:write") {
        return Err(Problem::forbidden("This API key may not do that: it lacks the scope referrers:write."));
    }
    Ok(())
}

/// The file, read and stored row by row; on its own, so that a caller who hangs up leaves no half of it.
async fn staged(
    app: &App,
    caller: &Caller,
    new: NewImport,
    file: SentCsv,
    header: Option<bool>,
) -> Result<i64, Problem> {
    let (this, actor, choices) = (app.clone(), caller.actor.clone(), Choices { header, ..Choices::default() });
    let staging = tokio::spawn(async move {
        let limits = imports::limits(&this.config);
        imports::stage(&this, &actor, new, Cursor::new(file.0), choices, limits).await
    });
    let staged = staging.await.map_err(|e| DbError::Fault(e.to_string()))??;
    staged.map_err(|why| FieldProblem::wrong("file", format!("cannot be used: {}", why.trim_end_matches('.'))).into())
}

/// The meaning of the columns: as named, else as recognised.
fn mapping(import: &Import, named: Option<&str>) -> Result<Mapping, FieldProblem> {
    let (kind, mut mapping) = (import.kind(), import.mapping());
    if let Some(named) = named {
        let read = kind.named(import.columns().len(), named);
        mapping = read.map_err(|why| FieldProblem::wrong("columns", why))?;
    }
    let judged = kind.judge(&mapping);
    judged.map(|()| mapping).map_err(|why| {
        let columns = import.columns().join(", ");
        FieldProblem::wrong("columns", format!("are not recognised in “{columns}”: {}", why.trim_end_matches('.')))
    })
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    Asked(asked): Asked<ImportAsked>,
    file: SentCsv,
) -> Result<Response, Problem> {
    let kind = asked.kind.0;
    may_bring(&caller, kind)?;
    let campaign_id = campaign(&app, &caller, asked.campaign.as_ref().map(|c| c.0.as_str())).await?;
    let found = campaigns::find(&mut app.db.read().await?, caller.business_id(), campaign_id).await?;
    if kind != FileKind::Referrers && found.is_some_and(|c| c.state == "draft") {
        let message = "The campaign is a draft, which takes test data only. Make it live first.";
        return Err(Problem::conflict("refused", message));
    }
    let business_id = caller.business_id();
    let file_name = asked.file_name.map_or_else(|| "By the API".to_owned(), |name| name.0);
    let new = NewImport {
        business_id,
        campaign_id,
        kind,
        file_name,
        created_by: None,
        may_pay: caller.key.may("payouts:write"),
    };
    let id = staged(&app, &caller, new, file, asked.header).await?;
    let import = find(&app, &caller, id).await?;
    let mapping = match mapping(&import, asked.columns.as_deref()) {
        Ok(mapping) => mapping,
        Err(problem) => {
            imports::discard(&app, &import).await?;
            return Err(problem.into());
        }
    };
    let options = Options { generate: asked.generate_codes.unwrap_or(false) };
    imports::set_columns(&app, &import, campaign_id, mapping, options).await?;
    let begun = match asked.dry_run.unwrap_or(false) {
        true => imports::ask_check(&app, &caller.actor, &import).await?,
        false => imports::ask_run_at_once(&app, &caller.actor, &import).await?,
    };
    begun_as(&app, &caller, id, &begun, StatusCode::CREATED).await
}

/// The import once the job has had a moment: over, or going on.
async fn begun_as(app: &App, caller: &Caller, id: i64, begun: &Begun, over: StatusCode) -> Result<Response, Problem> {
    if let Begun::Job(job) = begun {
        a_moment(app, caller.business_id(), *job).await?;
    }
    let import = find(app, caller, id).await?;
    let status = if matches!(import.state.as_str(), "checked" | "done") { over } else { StatusCode::ACCEPTED };
    Ok((status, Json(answer(app, import).await?)).into_response())
}

/// An import of the business; files are live data.
async fn find(app: &App, caller: &Caller, id: i64) -> Result<Import, Problem> {
    let found = imports::find(&mut app.db.read().await?, caller.business_id(), id).await?;
    let found = found.filter(|import| !caller.test() && !matches!(import.state.as_str(), "loading" | "discarded"));
    found.ok_or_else(|| nothing("import"))
}

async fn named(app: &App, caller: &Caller, text: &str) -> Result<Import, Problem> {
    find(app, caller, path_id(Kind::Import, text, "import")?).await
}

/// An import with how far its job is.
async fn answer(app: &App, import: Import) -> DbResult<ImportAnswer> {
    let job = match (import.state.as_str(), import.job_id) {
        ("checking" | "running", Some(job)) => {
            crate::jobs::find(&mut app.db.read().await?, import.business_id, job).await?
        }
        _ => None,
    };
    Ok(ImportAnswer::of(import, job.as_ref()))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    OriginalUri(uri): OriginalUri,
    Asked(asked): Asked<ImportsAsked>,
) -> Result<Response, Problem> {
    let part = Part::new(asked.window, &caller, app.clock.now());
    let mut imports: Hits<Import> = Vec::new().into();
    if !caller.test() {
        let list = imports::listing(caller.business_id(), asked.kind.map(|kind| kind.0));
        imports = part.rows(&mut app.db.read().await?, list).await?;
    }
    let mut shown = Vec::with_capacity(imports.rows.len());
    for import in imports.rows {
        let at = part.at(import.created_at, import.updated_at);
        shown.push(((at, import.id), answer(&app, import).await?));
    }
    let shown = Hits { rows: shown, rest: imports.rest };
    Ok(page(&uri, &part, shown, |(key, _)| *key, |(_, import)| import))
}

async fn show(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Json<ImportAnswer>, Problem> {
    let import = named(&app, &caller, &text).await?;
    Ok(Json(answer(&app, import).await?))
}

async fn rows(
    State(app): State<App>,
    caller: Caller,
    InPath(text): InPath,
    Asked(asked): Asked<RowsAsked>,
) -> Result<Json<ImportRows>, Problem> {
    let import = named(&app, &caller, &text).await?;
    // The first row of a file has the number 1.
    let (after, limit) = (asked.after.map_or(0, |after| after.0), asked.limit.map_or(USUAL, |limit| limit.0));
    let mut conn = app.db.read().await?;
    let mut rows = match (asked.outcome, asked.rejected.unwrap_or(false)) {
        (Some(outcome), _) => imports::rows_with(&mut conn, import.id, outcome.0.word(), after, limit + 1).await?,
        (None, true) => imports::rejected_rows(&mut conn, import.id, after, limit + 1).await?,
        (None, false) => imports::next_rows(&mut conn, import.id, after, limit + 1).await?,
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.line);
    Ok(Json(ImportRows { data: rows.into_iter().map(|row| ImportRow::of(row, &import)).collect(), next }))
}

async fn rejects(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let import = named(&app, &caller, &text).await?;
    let kind = [(header::CONTENT_TYPE, "text/csv")];
    Ok((kind, Body::from_stream(imports::rejects(app.db.clone(), import))).into_response())
}

async fn run(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<Response, Problem> {
    let import = named(&app, &caller, &text).await?;
    may_bring(&caller, import.kind())?;
    let begun = match import.state.as_str() {
        "staged" => imports::ask_run_at_once(&app, &caller.actor, &import).await?,
        _ => imports::ask_run(&app, &caller.actor, &import).await?,
    };
    if begun == Begun::NotYet {
        return Err(Problem::conflict("refused", "Its dry run is going on. Run it when that is over."));
    }
    begun_as(&app, &caller, import.id, &begun, StatusCode::OK).await
}

async fn discard(State(app): State<App>, caller: Caller, InPath(text): InPath) -> Result<StatusCode, Problem> {
    let import = named(&app, &caller, &text).await?;
    may_bring(&caller, import.kind())?;
    match imports::discard(&app, &import).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::conflict("refused", "It is running or done, and cannot be thrown away.")),
    }
}
