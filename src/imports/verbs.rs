//! The steps of a person with a read file: name its columns, try it, run it, throw it away.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::mapping::Mapping;
use super::{CHECK, Import, Options, RUN, store};
use crate::actor::Actor;
use crate::audit::{self, NewEntry};
use crate::core::Core;
use crate::db::{DbResult, Key, Tx};
use crate::jobs::{self, NewJob};

/// The outcome of starting a dry run or the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// It is being done, by this job.
    Job(i64),
    /// It has been done.
    Done,
    /// Another step comes first.
    NotYet,
}

/// Sets the meaning of the columns. False when the file is past that step.
pub async fn set_columns(
    core: &Core,
    import: &Import,
    campaign_id: i64,
    mapping: Mapping,
    options: Options,
) -> DbResult<bool> {
    let chosen = store::Columns { id: import.id, campaign_id, mapping, options };
    let changed = core.db.write(vec![Key::Row(import.id)], chosen, store::set_columns).await?;
    Ok(changed == 1)
}

/// Asks for a dry run; a second click joins the first.
pub async fn ask_check(core: &Core, actor: &Arc<Actor>, import: &Import) -> DbResult<Asked> {
    ask(core, actor, import, CHECK, "staged").await
}

/// Asks for the run; a second click joins the first.
pub async fn ask_run(core: &Core, actor: &Arc<Actor>, import: &Import) -> DbResult<Asked> {
    ask(core, actor, import, RUN, "checked").await
}

/// Starts the run of a file without showing a dry run.
pub async fn ask_run_at_once(core: &Core, actor: &Arc<Actor>, import: &Import) -> DbResult<Asked> {
    ask(core, actor, import, RUN, "staged").await
}

async fn ask(
    core: &Core,
    actor: &Arc<Actor>,
    import: &Import,
    kind: &'static str,
    from: &'static str,
) -> DbResult<Asked> {
    let file = (import.business_id, import.id, kind, from);
    let asked = core.write_once(vec![Key::Row(import.id)], actor, file, ask_in).await?;
    core.wake.ring();
    Ok(asked)
}

async fn ask_in(tx: &mut Tx, &(business, id, kind, from): &(i64, i64, &'static str, &'static str)) -> DbResult<Asked> {
    let Some(import) = store::find(tx, business, id).await? else { return Ok(Asked::NotYet) };
    let to = if kind == CHECK { "checking" } else { "running" };
    let mut input = json!({ "import": id });
    match import.state.as_str() {
        state if state == from => {}
        state if state == to => {
            let Some(job) = jobs::find(tx, business, import.job_id.unwrap_or_default()).await? else {
                return Ok(Asked::NotYet);
            };
            if job.state != "failed" {
                return Ok(Asked::Job(job.id));
            }
            // Continues where the stopped one ended.
            input = json!({ "import": id, "from": job.cursor.parse().unwrap_or(0_i64), "counts": job.result() });
        }
        "checked" | "running" | "done" => return Ok(Asked::Done),
        _ => return Ok(Asked::NotYet),
    }
    let new = NewJob {
        business_id: business,
        campaign_id: Some(import.campaign_id),
        kind,
        join_key: format!("import:{id}"),
        input,
        total: import.rows_total,
        actor: tx.actor()?.clone(),
    };
    start(tx, &import, to, &new).await.map(Asked::Job)
}

async fn start(tx: &mut Tx, import: &Import, to: &str, new: &NewJob) -> DbResult<i64> {
    let job = jobs::enqueue_in(tx, new).await?;
    store::begin(tx, import.id, &import.state, to, job).await?;
    if new.kind == RUN {
        let entry = NewEntry::by(tx, import.business_id, "import.started", ("import", import.id))?
            .after(json!({ "file": import.file_name, "kind": import.kind, "rows": import.rows_total }));
        audit::write(tx, &[entry]).await?;
    }
    Ok(job)
}

/// Throws away a file that has not been run. False when it has.
pub async fn discard(core: &Core, import: &Import) -> DbResult<bool> {
    let id = import.id;
    let changed = core.db.write(vec![Key::Row(id)], id, store::discard).await?;
    Ok(changed == 1)
}
