//! One import: its columns, its dry run, its progress, its result.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::extract::{OriginalUri, Path};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect};

use crate::campaigns;
use crate::imports::mapping::{Field, Mapping, is_same_name};
use crate::imports::store::{self, RowLine};
use crate::imports::{Asked, Fate, Import, Kind, Options, ask_check, ask_run, discard, rejects, set_columns};
use crate::jobs;
use crate::query::ListQuery;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::web::page::html_with;
use crate::web::{Choice, Fault, Flash, Form, PageResult, Tab, html};

pub fn routes(routes: Routes, import: Access) -> Routes {
    routes
        .get("/imports/{id}", import, show)
        .get("/imports/{id}/columns", import, columns)
        .form("/imports/{id}/columns", import, update)
        .post("/imports/{id}/run", import, run)
        .post("/imports/{id}/again", import, again)
        .post("/imports/{id}/discard", import, throw_away)
        .get("/imports/{id}/rejects.csv", import, rejects_csv)
}

async fn find(page: &Page, id: &str) -> Result<Import, Fault> {
    let id = id.parse().map_err(|_| Fault::NotFound)?;
    let import = store::find(&mut page.read().await?, page.member.business_id, id).await?;
    import.filter(|i| i.state != "loading" && i.state != "discarded").ok_or(Fault::NotFound)
}

async fn show(page: Page, Path(id): Path<String>, OriginalUri(uri): OriginalUri) -> PageResult {
    let import = find(&page, &id).await?;
    match import.state.as_str() {
        "staged" => columns_page(&page, import, Form::default()).await,
        "checking" | "running" => progress(&page, import).await,
        _ => came_of_it(&page, import, uri.query()).await,
    }
}

#[derive(Template)]
#[template(path = "imports/columns.html")]
struct ColumnsPage {
    frame: Frame,
    import: Import,
    form: Form,
    columns: Vec<Column>,
    fields: Vec<Choice>,
    campaigns: Vec<Choice>,
    found: String,
    rows: String,
}

struct Column {
    name: String,
    label: String,
    sample: String,
}

async fn columns(page: Page, Path(id): Path<String>) -> PageResult {
    let import = find(&page, &id).await?;
    if !matches!(import.state.as_str(), "staged" | "checked") {
        return Ok(Redirect::to(&format!("/imports/{}", import.id)).into_response());
    }
    columns_page(&page, import, Form::default()).await
}

async fn columns_page(page: &Page, import: Import, mut form: Form) -> PageResult {
    let mut conn = page.read().await?;
    let sample = store::next_rows(&mut conn, import.id, -1, 20).await?;
    let campaigns = campaigns::choices(&mut conn, import.business_id).await?;
    drop(conn);
    let good: Vec<Vec<String>> = sample.iter().filter(|r| r.fault.is_none()).map(RowLine::cells).collect();
    let mapping = import.mapping();
    let is_new = form.errors.is_empty();
    let mut columns = Vec::new();
    for (at, label) in import.columns().into_iter().enumerate() {
        let name = format!("column_{at}");
        if is_new {
            form.set(&name, mapping.columns.get(at).copied().flatten().map_or("", Field::name));
        }
        let mut seen: Vec<&str> = Vec::new();
        for cell in good.iter().filter_map(|cells| cells.get(at)).map(|cell| cell.trim()).filter(|c| !c.is_empty()) {
            if seen.len() < 3 && !seen.contains(&cell) {
                seen.push(cell);
            }
        }
        columns.push(Column { name, label, sample: shortened(&seen.join(", "), 80) });
    }
    if is_new {
        form.set("campaign", import.campaign_id.to_string());
        form.set("generate", if import.options().generate { "yes" } else { "" });
    }
    let not_imported = std::iter::once(("", "Do not import"));
    // Cells of payout details are encrypted by their columns' names, so they are chosen by nobody.
    let is_paid = |field: &Field| matches!(field, Field::Paid(_));
    let has_paid = mapping.columns.iter().flatten().any(is_paid);
    let offered = import.kind().fields().iter().filter(|field| has_paid || !is_paid(field));
    let fields = offered.map(|f| (f.name(), f.label()));
    let status = if is_new { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let found = format!(
        "{}, {}, {}",
        import.encoding,
        match import.delimiter.as_str() {
            ";" => "semicolons between cells",
            "\t" => "tabs between cells",
            "|" => "vertical bars between cells",
            _ => "commas between cells",
        },
        if import.has_header { "the first row names the columns" } else { "no names in the first row" }
    );
    html_with(
        status,
        &ColumnsPage {
            frame: page.frame("imports").await?,
            columns,
            fields: Choice::list(not_imported.chain(fields), ""),
            campaigns: Choice::list(campaigns.iter().map(|c| (c.id, c.name.clone())), &import.campaign_id.to_string()),
            found,
            rows: many(import.rows_total, "row", "rows"),
            form,
            import,
        },
    )
}

async fn update(page: Page, Path(id): Path<String>, mut form: Form) -> PageResult {
    let import = find(&page, &id).await?;
    let campaigns = campaigns::choices(&mut page.read().await?, import.business_id).await?;
    let campaign = form.choice("campaign", "The campaign", |id| campaigns.iter().find(|c| c.id.to_string() == id));
    if campaign.is_some_and(|c| c.state == "draft") && import.kind() != Kind::Referrers {
        form.fail("campaign", "This campaign is a draft, which takes test data only. Make it live first.");
    }
    let mapping = typed_mapping(&import, &mut form);
    let (Some(campaign), true) = (campaign, form.is_fine()) else { return columns_page(&page, import, form).await };
    let options = Options { generate: form.checked("generate") };
    set_columns(&page.app, &import, campaign.id, mapping, options).await?;
    ask_check(&page.app, &Arc::new(page.member.actor()), &import).await?;
    wait_a_moment(&page, import.id, "checking").await?;
    Ok(Redirect::to(&format!("/imports/{}", import.id)).into_response())
}

fn typed_mapping(import: &Import, form: &mut Form) -> Mapping {
    let kind = import.kind();
    let mut mapping = Mapping { columns: vec![None; import.columns().len()] };
    for at in 0..mapping.columns.len() {
        let name = format!("column_{at}");
        let Some(field) = Field::from_name(form.value(&name)).filter(|f| kind.fields().contains(f)) else { continue };
        let labels = import.columns();
        if mapping.column(field).is_some_and(|first| !is_same_name(&labels[first], &labels[at])) {
            form.fail(&name, format!("Two columns are the {}. Choose one of them.", field.label().to_lowercase()));
        } else {
            mapping.columns[at] = Some(field);
        }
    }
    if let Err(why) = kind.judge(&mapping) {
        form.fail("column_0", why);
    }
    mapping
}

/// A small file is through at once; its next page is then shown without one that only waits.
async fn wait_a_moment(page: &Page, id: i64, state: &str) -> Result<(), Fault> {
    for _ in 0..15 {
        let import = store::find(&mut page.read().await?, page.member.business_id, id).await?;
        if import.is_none_or(|i| i.state != state) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

#[derive(Template)]
#[template(path = "imports/progress.html")]
struct ProgressPage {
    frame: Frame,
    import: Import,
    dry: bool,
    done: i64,
    words: String,
    failed: Option<String>,
}

async fn progress(page: &Page, import: Import) -> PageResult {
    let job = jobs::find(&mut page.read().await?, import.business_id, import.job_id.unwrap_or_default()).await?;
    let done = job.as_ref().map_or(0, |j| j.done);
    let failed = job.filter(|j| j.state == "failed").map(|j| j.error.unwrap_or_default());
    let words = format!("{} of {} rows", counted(done), counted(import.rows_total));
    let dry = import.state == "checking";
    html(&ProgressPage { frame: page.frame("imports").await?, import, dry, done, words, failed })
}

#[derive(Template)]
#[template(path = "imports/show.html")]
struct ShowPage {
    frame: Frame,
    import: Import,
    dry: bool,
    title: String,
    sentence: String,
    tabs: Vec<Tab>,
    rows: Vec<Shown>,
    next: Option<String>,
    taken: i64,
    taken_words: String,
    rejected: i64,
    rejected_words: String,
}

struct Shown {
    line: i64,
    came_of: &'static str,
    tone: &'static str,
    field: &'static str,
    reason: String,
    cells: String,
    url: String,
}

/// Rows shown at one time.
const SHOWN: usize = 50;

async fn came_of_it(page: &Page, import: Import, query: Option<&str>) -> PageResult {
    let query = ListQuery::new("/imports", query, &["outcome", "after"]);
    let (counts, kind, dry) = (import.counts(), import.kind(), import.state == "checked");
    let path = format!("/imports/{}", import.id);
    let worst = Fate::ALL.into_iter().rev().find(|f| counts.of(*f) > 0 && f.is_rejected());
    let asked = Fate::parse(query.get("outcome")).or(worst).unwrap_or(Fate::New);
    let fate =
        if counts.of(asked) > 0 { asked } else { Fate::ALL.into_iter().find(|f| counts.of(*f) > 0).unwrap_or(asked) };
    let after = query.get("after").parse().unwrap_or(-1);
    let mut rows = store::rows_with(&mut page.read().await?, import.id, fate.word(), after, SHOWN + 1).await?;
    let more = rows.len() > SHOWN;
    rows.truncate(SHOWN);
    let next = rows.last().filter(|_| more).map(|r| format!("{path}?outcome={}&after={}", fate.word(), r.line));
    let tab = |f: Fate| Tab {
        label: f.label(kind).to_owned(),
        url: format!("{path}?outcome={}", f.word()),
        current: f == fate,
        count: counted(counts.of(f)),
    };
    let taken = counts.taken(kind);
    let noun = |n: i64| match kind {
        Kind::Qualifications => many(n, "customer", "customers"),
        Kind::Leads => many(n, "lead", "leads"),
        Kind::Referrers => many(n, "referrer", "referrers"),
    };
    let verb = match (kind, dry) {
        (Kind::Qualifications, true) => "would be qualified",
        (Kind::Qualifications, false) => "qualified",
        (_, true) => "would be added or updated",
        (_, false) => "added or updated",
    };
    let sentence = [
        (counts.already + counts.duplicate, "was already up to date", "were already up to date"),
        (counts.rejected(), "needs a look", "need a look"),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, one, more)| format!("{} {}.", many(n, "row", "rows"), if n == 1 { one } else { more }))
    .collect::<Vec<_>>()
    .join(" ");
    html(&ShowPage {
        frame: page.frame("imports").await?,
        dry,
        title: format!("{} {verb}", noun(taken)),
        sentence,
        tabs: Fate::ALL.into_iter().filter(|f| counts.of(*f) > 0).map(tab).collect(),
        rows: rows.into_iter().map(|row| shown(row, kind)).collect(),
        next,
        taken,
        taken_words: noun(taken),
        rejected: counts.rejected(),
        rejected_words: many(counts.rejected(), "row", "rows"),
        import,
    })
}

fn many(n: i64, one: &str, more: &str) -> String {
    format!("{} {}", counted(n), if n == 1 { one } else { more })
}

fn shown(row: RowLine, kind: Kind) -> Shown {
    let fate = row.outcome.as_deref().and_then(Fate::parse).unwrap_or(Fate::Invalid);
    let filled: Vec<String> = row.cells().into_iter().filter(|cell| !cell.trim().is_empty()).collect();
    Shown {
        line: row.line,
        came_of: fate.label(kind),
        tone: fate.tone(),
        field: row.field.as_deref().and_then(Field::from_name).map_or("", Field::label),
        cells: shortened(&filled.join(", "), 120),
        url: match (row.lead_id, row.referrer_id) {
            (Some(lead), _) => format!("/leads/{lead}"),
            (None, Some(referrer)) => format!("/referrers/{referrer}"),
            (None, None) => String::new(),
        },
        reason: row.reason.unwrap_or_default(),
    }
}

fn shortened(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

async fn run(page: Page, Path(id): Path<String>) -> PageResult {
    let import = find(&page, &id).await?;
    let path = format!("/imports/{}", import.id);
    if let Asked::NotYet = ask_run(&page.app, &Arc::new(page.member.actor()), &import).await? {
        return page.go(&path, Flash::info("The columns come first, then the dry run.")).await;
    }
    wait_a_moment(&page, import.id, "running").await?;
    Ok(Redirect::to(&path).into_response())
}

/// Continues a dry run or a run that was stopped.
async fn again(page: Page, Path(id): Path<String>) -> PageResult {
    let import = find(&page, &id).await?;
    let actor = Arc::new(page.member.actor());
    if import.state == "checking" {
        ask_check(&page.app, &actor, &import).await?;
    } else {
        ask_run(&page.app, &actor, &import).await?;
    }
    Ok(Redirect::to(&format!("/imports/{}", import.id)).into_response())
}

async fn throw_away(page: Page, Path(id): Path<String>) -> PageResult {
    let import = find(&page, &id).await?;
    if discard(&page.app, &import).await? {
        page.go("/imports", Flash::good(format!("{} was thrown away. Nothing of it was applied.", import.file_name)))
            .await
    } else {
        page.go(&format!("/imports/{}", import.id), Flash::bad("It is running or done, and cannot be thrown away."))
            .await
    }
}

async fn rejects_csv(page: Page, Path(id): Path<String>) -> PageResult {
    let import = find(&page, &id).await?;
    let stem: String = import
        .file_name
        .rsplit_once('.')
        .map_or(import.file_name.as_str(), |(stem, _)| stem)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{stem}-to-correct.csv\"")),
    ];
    Ok((headers, Body::from_stream(rejects(page.app.db.clone(), import))).into_response())
}
