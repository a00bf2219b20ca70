//! Recurring work. Each task has a row with the time of its next run; the node that moves that time on does
//! the run. A task's decisions are guarded by its own locks as well, so a run that takes longer than its
//! lease costs time and nothing else.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::task::JoinSet;

use super::{LEASE_SECONDS, store};
use crate::core::Core;
use crate::db::DbResult;

/// The clocks of two nodes differ by less than this.
const AHEAD_SECONDS: i64 = 60;

type Run = fn(Core) -> BoxFuture<'static, DbResult<bool>>;

/// Something done every so often, by one node at a time. It answers whether there is more to do.
#[derive(Clone, Copy)]
struct Task {
    name: &'static str,
    seconds: i64,
    run: Run,
    /// The pause between two looks at whether the task is due.
    look: Duration,
    /// Asked before the task runs.
    is_due: Option<Run>,
}

/// Something that each node does for itself.
#[derive(Clone)]
struct Chore {
    every: Duration,
    /// The words of the log when it fails.
    failed: &'static str,
    run: Arc<dyn Fn() -> BoxFuture<'static, DbResult<()>> + Send + Sync>,
}

/// All that comes round.
#[derive(Clone, Default)]
pub struct Schedule {
    tasks: Vec<Task>,
    chores: Vec<Chore>,
}

impl Schedule {
    pub fn new() -> Self {
        Self::default()
    }

    /// A task that runs every so often.
    pub fn task(mut self, name: &'static str, seconds: i64, run: Run) -> Self {
        let look = Duration::from_secs(seconds.unsigned_abs().div_ceil(4));
        self.tasks.push(Task { name, seconds, run, look, is_due: None });
        self
    }

    /// A task that runs only when `is_due` says so, asked every so often.
    pub fn task_when(mut self, is_due: Run, look: Duration, name: &'static str, seconds: i64, run: Run) -> Self {
        self.tasks.push(Task { name, seconds, run, look, is_due: Some(is_due) });
        self
    }

    /// A flush of a node's own state.
    pub fn each_node<S: Clone + Send + Sync + 'static>(
        mut self,
        state: &S,
        every: Duration,
        failed: &'static str,
        run: fn(S) -> BoxFuture<'static, DbResult<()>>,
    ) -> Self {
        let state = state.clone();
        self.chores.push(Chore { every, failed, run: Arc::new(move || run(state.clone())) });
        self
    }

    /// Starts this node's part.
    pub(super) fn start(self, core: &Core, running: &mut JoinSet<()>) {
        for task in self.tasks {
            running.spawn(come_round(core.clone(), task));
        }
        for chore in self.chores {
            let core = core.clone();
            running.spawn(async move {
                while wait(&core, chore.every).await {
                    if let Err(error) = (chore.run)().await {
                        tracing::warn!(%error, "{}", chore.failed);
                    }
                }
            });
        }
    }
}

/// False when the program stops.
async fn wait(core: &Core, time: Duration) -> bool {
    tokio::select! {
        () = core.stop.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

async fn come_round(core: Core, task: Task) {
    loop {
        if let Err(error) = run_if_due(&core, task).await {
            tracing::warn!(%error, task = task.name, "a task did not come to its end");
        }
        if !wait(&core, task.look).await {
            return;
        }
    }
}

/// Runs the task if it is due and no other node runs it.
async fn run_if_due(core: &Core, task: Task) -> DbResult<()> {
    if let Some(is_due) = task.is_due
        && !is_due(core.clone()).await?
    {
        return Ok(());
    }
    let now = core.clock.now();
    let next = store::next_turn(&mut core.db.read().await?, task.name).await?;
    // Much further ahead than any run sets it: the clock was wrong, and went back since. Other nodes' clocks may
    // be ahead of this one, if only by the time since `now` was read; their turns stand.
    let far = now.plus_seconds(task.seconds.max(LEASE_SECONDS) + AHEAD_SECONDS);
    if next.is_some_and(|next| next > now.micros() && next <= far.micros()) {
        return Ok(());
    }
    let (name, held_until) = (task.name, now.plus_seconds(LEASE_SECONDS));
    if !core.db.write(vec![], (name, now, far, held_until), store::take_turn).await? {
        return Ok(());
    }
    let more = (task.run)(core.clone()).await;
    let next = match more {
        Ok(true) => now,
        _ => now.plus_seconds(task.seconds),
    };
    core.db.write(vec![], (name, held_until, next), store::end_turn).await?;
    more.map(|_| ())
}
