//! Many stories of payments, refunds, disputes, decisions and payouts at once, by the verbs: after every round the
//! database is as the naive model says.

#[path = "../../src/engine/tests/model.rs"]
mod model;
#[path = "../../src/engine/tests/model_payouts.rs"]
mod model_payouts;
#[path = "../../src/engine/tests/model_referrals.rs"]
mod model_referrals;
#[path = "../../src/engine/tests/picture.rs"]
mod picture;
#[path = "../../src/engine/tests/story.rs"]
mod story;

mod look;
mod world;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::on_both_databases;
use crate::support::{TestApp, is_long};
use story::{PEOPLE, Step, beginning, pause, payout, personal, terms};
use world::{Failure, World};

on_both_databases! { every_story_ends_as_the_model_says }

const SHOPS: usize = 4;
/// The stories of each shop.
const STORIES: usize = 50;
const ROUNDS: usize = 32;

/// The steps of everybody, of each business, and then of each story of each business.
#[derive(Debug, Clone)]
pub struct Round {
    pub pause: Option<Step>,
    pub payouts: Vec<Option<Step>>,
    /// The step, and whether it comes twice at the same moment.
    pub own: Vec<Option<(Step, bool)>>,
}

impl Round {
    fn draw(random: &mut StdRng, round: usize) -> Self {
        let pauses = random.random_bool(0.25).then(|| pause(random.random()));
        let payouts = (0..SHOPS).map(|_| random.random_bool(0.3).then(|| payout(random.random()))).collect();
        let own = (0..SHOPS * STORIES).map(|_| {
            let step = if round < PEOPLE { beginning(round, random.random()) } else { personal(random.random()) };
            random.random_bool(0.95).then(|| (step, random.random_bool(0.2)))
        });
        Self { pause: pauses, payouts, own: own.collect() }
    }

    /// A round of one business with one story.
    fn of(step: Step) -> Self {
        let none = Self { pause: None, payouts: vec![None], own: vec![None] };
        match step {
            Step::Wait { .. } => Self { pause: Some(step), ..none },
            Step::Lock { .. } | Step::Undo => Self { payouts: vec![Some(step)], ..none },
            step => Self { own: vec![Some((step, false))], ..none },
        }
    }
}

async fn every_story_ends_as_the_model_says(app: TestApp) {
    let seed = if is_long() { rand::rng().random() } else { 1 };
    println!("the stories are those of seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..if is_long() { 100 } else { 1 } {
        let shops: Vec<_> = (0..SHOPS).map(|_| terms(random.random())).collect();
        let mut world = World::start(&app, &shops, STORIES).await;
        for round in 0..ROUNDS {
            let round = Round::draw(&mut random, round);
            if let Err(failure) = world.happen(&round).await {
                panic!("{}", explained(&app, failure).await);
            }
        }
    }
}

/// The failure with as few steps as show it.
async fn explained(app: &TestApp, failure: Failure) -> String {
    // Its ledger is what is wrong.
    app.database.tampered();
    let Some(mut shortest) = alone(app, &failure, &failure.steps).await else {
        return format!("among other stories only: {failure:#?}");
    };
    let mut at = shortest.steps.len();
    while at > 0 {
        at -= 1;
        let mut fewer = shortest.steps.clone();
        fewer.remove(at);
        if let Some(shorter) = alone(app, &failure, &fewer).await {
            at = at.min(shorter.steps.len());
            shortest = shorter;
        }
    }
    format!("{shortest:#?}")
}

/// The failure of a story without any other.
async fn alone(app: &TestApp, failure: &Failure, steps: &[Step]) -> Option<Failure> {
    let mut world = World::start(app, &[failure.terms], 1).await;
    for step in steps {
        if let Err(failure) = world.happen(&Round::of(*step)).await {
            return Some(failure);
        }
    }
    None
}
