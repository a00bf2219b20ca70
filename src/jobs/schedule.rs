//! Work that comes round without anybody asking. Each task has a row that says when its turn is; the
//! node that moves it on does the turn. What a task decides is guarded by its own locks as well, so a
//! turn that takes longer than its lease costs time and nothing else.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::task::JoinSet;

use super::{LEASE_SECONDS, store};
use crate::app::App;
use crate::db::DbResult;

/// Something done every so often, by one node at a time. It answers whether there is more to do.
struct Task {
    name: &'static str,
    seconds: i64,
    run: fn(App) -> BoxFuture<'static, DbResult<bool>>,
}

const TASKS: [Task; 4] = [
    Task { name: "sweep", seconds: 60, run: |app| Box::pin(crate::sweep::turn(app)) },
    Task { name: "seal", seconds: 20, run: |app| Box::pin(crate::seal::turn(app)) },
    Task { name: "outbox", seconds: 60, run: |app| Box::pin(crate::outbox::turn(app)) },
    Task { name: "tidy", seconds: 600, run: |app| Box::pin(tidy(app)) },
];

/// How often a node writes when its keys were last used.
const FLUSH: Duration = Duration::from_secs(30);
/// How often it looks whether many rows wait to be indexed.
const SEARCH: Duration = Duration::from_secs(2);
/// How often it writes which links were followed, and which calls were made.
const CLICKS: Duration = Duration::from_secs(1);

/// Starts this node's part.
pub fn start(app: &App, running: &mut JoinSet<()>) {
    for task in TASKS {
        running.spawn(come_round(app.clone(), task));
    }
    running.spawn(write_clicks(app.clone()));
    running.spawn(feed_search(app.clone()));
    let app = app.clone();
    running.spawn(async move {
        while wait(&app, FLUSH).await {
            if let Err(error) = app.keys.flush().await {
                tracing::warn!(%error, "the last use of keys was not written");
            }
        }
    });
}

async fn write_clicks(app: App) {
    while wait(&app, CLICKS).await {
        if let Err(error) = app.clicks.flush(&app.db).await {
            tracing::warn!(%error, "clicks wait to be written");
        }
        if let Err(error) = app.calls.flush(&app.db, &app.ids).await {
            tracing::warn!(%error, "the log of calls lacks what the last second brought");
        }
    }
}

/// What waits to be searchable is looked for often, and the turn is taken only when it is worth one.
async fn feed_search(app: App) {
    let task = Task { name: "search", seconds: 1, run: |app| Box::pin(crate::search::turn(app)) };
    loop {
        let due = async { crate::search::is_due(&mut app.db.read().await?).await };
        let done = match due.await {
            Ok(true) => turn(&app, &task).await,
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "new rows wait to be indexed");
        }
        if !wait(&app, SEARCH).await {
            return;
        }
    }
}

/// False when the program stops.
async fn wait(app: &App, time: Duration) -> bool {
    tokio::select! {
        () = app.stop.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

async fn come_round(app: App, task: Task) {
    let look = Duration::from_secs(task.seconds.unsigned_abs().div_ceil(4));
    loop {
        if let Err(error) = turn(&app, &task).await {
            tracing::warn!(%error, task = task.name, "a task did not come to its end");
        }
        if !wait(&app, look).await {
            return;
        }
    }
}

/// Does the task if its turn has come and nobody else is at it.
async fn turn(app: &App, task: &Task) -> DbResult<()> {
    let now = app.clock.now();
    let next = store::next_turn(&mut app.db.read().await?, task.name).await?;
    if next.is_some_and(|next| next > now.micros()) {
        return Ok(());
    }
    let (name, held_until) = (task.name, now.plus_seconds(LEASE_SECONDS));
    if !app.db.write(vec![], move |tx| Box::pin(store::take_turn(tx, name, now, held_until))).await? {
        return Ok(());
    }
    let more = (task.run)(app.clone()).await;
    let next = match more {
        Ok(true) => now,
        _ => now.plus_seconds(task.seconds),
    };
    app.db.write(vec![], move |tx| Box::pin(store::end_turn(tx, name, held_until, next))).await?;
    more.map(|_| ())
}

/// Removes what nobody can use any more.
async fn tidy(app: App) -> DbResult<bool> {
    let sessions = crate::users::tidy(app.clone()).await?;
    let files = crate::imports::tidy(&app).await?;
    let answers = crate::kept::tidy(&app).await?;
    let calls = crate::calls::tidy(&app).await?;
    Ok(sessions || files || answers || calls)
}
