//! Pages, APIs, job kinds and the schedule, on one screen: the only file that names every feature.

use std::time::Duration;

use axum::{Router, middleware};

use crate::api::signpost;
use crate::app::App;
use crate::core::Core;
use crate::db::DbResult;
use crate::jobs::{Kinds, Schedule};
use crate::shell::{self, Routes};
use crate::web::health::Probe;
use crate::web::{assets, health, layers};
use crate::{
    calls, codes, figures, imports, kept, outbox, payouts, providers, referrers, seal, search, stored_answers, sweep,
    test_data, users,
};

/// The whole program as one service.
pub fn router(app: &App) -> Router {
    let pages = shell::layers::pages(pages().into_router(app), app);
    let probe = Probe { db: app.db.clone(), stop: app.stop.clone(), config: app.config.clone() };
    let strays = crate::api::strays(app);
    let router = Router::new()
        .merge(crate::api::router(app))
        .merge(pages)
        .merge(health::router(probe))
        .nest("/static", assets::router());
    let router = router.with_state(app.clone()).layer(middleware::from_fn_with_state(strays, signpost::meet));
    layers::all(router, &app.config, crate::api::in_words)
}

/// Every page, with the right that it asks for. APIs are beside them, under their own dialects.
pub fn pages() -> Routes {
    Routes::new()
        .merge(crate::setup::pages::routes())
        .merge(crate::users::pages::routes())
        .merge(crate::views::pages::routes())
        .merge(crate::business::pages::routes())
        .merge(crate::home::pages::routes())
        .merge(crate::first_steps::pages::routes())
        .merge(crate::codes::pages::routes())
        .merge(crate::links::pages::routes())
        .merge(crate::referrers::pages::routes())
        .merge(crate::payout_details::pages::routes())
        .merge(crate::statements::pages::routes())
        .merge(crate::record::pages::routes())
        .merge(crate::remarks::pages::routes())
        .merge(crate::find::pages::routes())
        .merge(crate::leads::pages::routes())
        .merge(crate::commissions::pages::routes())
        .merge(crate::customer_rewards::pages::routes())
        .merge(crate::payouts::pages::routes())
        .merge(crate::forecast::pages::routes())
        .merge(crate::trace::pages::routes())
        .merge(crate::adjustments::pages::routes())
        .merge(crate::inbox::pages::routes())
        .merge(crate::campaigns::pages::routes())
        .merge(crate::shop::pages::routes())
        .merge(crate::products::pages::routes())
        .merge(crate::providers::pages::routes())
        .merge(crate::keys::pages::routes())
        .merge(crate::calls::pages::routes())
        .merge(crate::try_it::pages::routes())
        .merge(crate::team::pages::routes())
        .merge(crate::audit::pages::routes())
        .merge(crate::imports::pages::routes())
        .merge(crate::test_data::pages::routes())
        .merge(crate::api::docs::pages::routes())
        .merge(shell::shown::routes())
}

/// Every kind of background job, with the function that does a chunk of it.
pub fn job_kinds() -> Kinds {
    Kinds::new()
        .with(codes::KIND, codes::step)
        .with(referrers::ENROLL, referrers::enroll_step)
        .with(payouts::KIND, payouts::step)
        .with(imports::CHECK, imports::check_step)
        .with(imports::RUN, imports::run_step)
        .with(providers::stripe::runs::KIND, providers::stripe::runs::step)
        .with(test_data::KIND, test_data::step)
}

/// The schedule: tasks that one node at a time runs, and what each node writes of its own counts.
pub fn schedule(app: &App) -> Schedule {
    const SECOND: Duration = Duration::from_secs(1);
    Schedule::new()
        .task("sweep", 60, |core| Box::pin(async move { sweep::run(&core).await }))
        .task("payouts", 600, |core| Box::pin(async move { payouts::run_rhythm(&core).await }))
        .task("waiting_messages", 3_600, |core| Box::pin(async move { providers::apply::look_again(&core).await }))
        .task("missed_messages", 600, |core| Box::pin(async move { providers::stripe::catch_up::run(&core).await }))
        .task("seal", 20, |core| Box::pin(async move { seal::run(&core).await }))
        .task("outbox", 60, |core| Box::pin(async move { outbox::run(&core).await }))
        .task("tidy", 600, |core| Box::pin(async move { tidy(&core).await }))
        .task_when(
            // The look is cheap and frequent; the task runs only when rows enough wait to be worth it.
            |core| Box::pin(async move { search::is_due(&mut core.db.read().await?).await }),
            2 * SECOND,
            "search",
            1,
            |core| Box::pin(async move { search::run(&core).await }),
        )
        .task_when(
            |core| Box::pin(async move { figures::is_due(&mut core.db.read().await?).await }),
            SECOND,
            "figures",
            1,
            |core| Box::pin(async move { figures::run(&core).await }),
        )
        .task_when(
            |core| Box::pin(async move { providers::apply::is_due(&core).await }),
            SECOND / 4,
            "messages",
            0,
            |core| Box::pin(async move { providers::apply::run(&core).await }),
        )
        .task_when(
            |core| Box::pin(async move { providers::stripe::ask::is_due(&core).await }),
            5 * SECOND,
            "questions_to_stripe",
            0,
            |core| Box::pin(async move { providers::stripe::ask::run(&core).await }),
        )
        .task_when(
            |core| Box::pin(async move { providers::stripe::codes::is_due(&core).await }),
            5 * SECOND,
            "codes_at_stripe",
            0,
            |core| Box::pin(async move { providers::stripe::codes::run(&core).await }),
        )
        .task_when(
            |core| Box::pin(async move { providers::stripe::runs::is_due(&core).await }),
            30 * SECOND,
            "fetches_from_stripe",
            30,
            |core| Box::pin(async move { providers::stripe::runs::run_due(&core).await }),
        )
        .each_node(app, 30 * SECOND, "the last use of keys was not written", |app| {
            Box::pin(async move { app.keys.flush().await })
        })
        .each_node(app, 5 * SECOND, "measurements wait to be taken in", |_: App| {
            Box::pin(async move {
                health::take_in();
                Ok(())
            })
        })
        .each_node(app, SECOND, "clicks wait to be written", |app| {
            Box::pin(async move { app.clicks.flush(&app.db).await })
        })
        .each_node(app, SECOND, "the log of calls lacks what the last second brought", |app| {
            Box::pin(async move { app.calls.flush(&app.db, &app.ids).await })
        })
}

/// Removes expired rows; true when more may be left.
async fn tidy(core: &Core) -> DbResult<bool> {
    let sessions = users::tidy(core).await?;
    let files = imports::tidy(core).await?;
    let answers = stored_answers::tidy(&core.db, core.clock.now()).await?;
    let texts = kept::tidy(&core.db, core.clock.now()).await?;
    let calls = calls::tidy(core).await?;
    let runs = providers::stripe::runs::tidy(core).await?;
    Ok(sessions || files || answers || texts || calls || runs)
}
