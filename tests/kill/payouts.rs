//! A payout of several lots whose server is killed at every step: nobody is paid twice, nothing is lost, and the same
//! call again has the same answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value as Json, json};

use super::{Server, free_port, wait_for_quiet};
use crate::on_both_databases;
use crate::support::{Database, Engine, Start, TestApp, is_long};
use crate::v1::{call, text};

on_both_databases! { a_payout_survives_a_kill_at_every_step }

/// Three lots to find and five to lock.
const PEOPLE: usize = 430;
const EACH: i64 = 2_000;

/// A call that is sent until it has an answer, under the same key where it has one.
#[derive(Clone)]
struct Ask {
    path: String,
    once: &'static str,
    kind: &'static str,
    body: String,
    key: String,
}

/// The moment at which the server is killed.
enum Moment {
    /// As soon as this many lines of the payout are in one of these states.
    Lines(&'static str, i64),
    /// Up to so many milliseconds after the call was sent.
    Within(u64),
}

use Moment::{Lines, Within};

struct Desk {
    app: TestApp,
    port: u16,
    server: Option<Server>,
    client: reqwest::Client,
    random: StdRng,
    /// The payout that is worked on, once it is known.
    payout: i64,
    kills: usize,
    /// Kills that left a job unfinished.
    midway: i64,
}

async fn send(client: reqwest::Client, base: String, ask: Ask) -> reqwest::Result<(u16, Json)> {
    let mut call = client.post(format!("{base}{}", ask.path)).bearer_auth(&ask.key);
    if !ask.once.is_empty() {
        call = call.header("idempotency-key", ask.once);
    }
    let answer = call.header("content-type", ask.kind).body(ask.body).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

impl Desk {
    async fn start(database: &Arc<Database>) -> Self {
        let app = TestApp::start(database.clone()).await;
        let shop = app.shop();
        let mut events = Vec::new();
        for n in 0..PEOPLE {
            let referrer = shop.referrer(&format!("Referrer {n}")).await;
            events.push(shop.sign_up_event(&format!("lead{n}@customers.example"), Some(&referrer.code)));
            events.push(shop.payment_event(&format!("lead{n}@customers.example"), "100.00", "2026-06-01"));
        }
        shop.send_all(events).await;
        app.clock.advance_days(30);
        refdesk::sweep::all(&app.app).await.expect("a sweep");
        let seed = if is_long() { rand::rng().random() } else { 1 };
        println!("the moments are those of seed {seed}");
        Self {
            app,
            port: free_port(),
            server: None,
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
            random: StdRng::seed_from_u64(seed),
            payout: 0,
            kills: 0,
            midway: 0,
        }
    }

    fn ask(&self, path: &str, once: &'static str, body: Json) -> Ask {
        let (path, key) = (format!("/v1/payouts{path}"), self.app.business.api_key.clone());
        Ask { path, once, kind: "application/json", body: body.to_string(), key }
    }

    /// A call about the payout.
    fn about(&self, path: &str, once: &'static str, body: Json) -> Ask {
        self.ask(&format!("/{}{path}", self.payout), once, body)
    }

    async fn base(&mut self) -> String {
        if self.server.is_none() {
            self.server = Some(Server::start(&self.app.database, self.port).await.0);
        }
        self.server.as_ref().map(|server| server.base.clone()).unwrap_or_default()
    }

    async fn lines(&self, states: &str) -> i64 {
        let of = match self.payout {
            0 => "(SELECT max(id) FROM payouts)".to_owned(),
            id => id.to_string(),
        };
        let count = format!("SELECT count(*) FROM payout_lines WHERE payout_id = {of} AND state IN ({states})");
        self.app.number(&count).await
    }

    async fn jobs(&self) -> i64 {
        self.app.number("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')").await
    }

    /// Sends the call, kills the server at the moment, and looks at what it left.
    async fn kill(&mut self, ask: &Ask, moment: &Moment) {
        let base = self.base().await;
        let call = tokio::spawn(send(self.client.clone(), base, ask.clone()));
        match moment {
            Within(most) => {
                let pause = Duration::from_micros(self.random.random_range(0..most * 1_000));
                tokio::time::sleep(pause).await;
            }
            Lines(states, least) => {
                let since = Instant::now();
                while self.lines(states).await < *least {
                    assert!(since.elapsed() < Duration::from_secs(60), "{}: never {least} {states}", ask.path);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
        self.server.take().expect("a server").kill();
        self.kills += 1;
        if let Ok((status, answer)) = call.await.expect("the call ends") {
            assert!(matches!(status, 200 | 201), "{}: {status} {answer}", ask.path);
        }
        if self.app.engine() == Engine::Postgres {
            wait_for_quiet(&self.app).await;
        }
        if self.jobs().await > 0 {
            self.midway += 1;
            self.app.database.prove().await;
            // A minute later the claim of the dead is over.
            self.app.arrange("UPDATE jobs SET claimed_until = 0 WHERE state = 'running'").await;
        }
    }

    /// Lets the call be done, however often the server is killed meanwhile; answers its answer.
    async fn survive(&mut self, ask: Ask, moments: &[Moment]) -> Json {
        for moment in moments {
            let times = if is_long() && matches!(moment, Within(_)) { 20 } else { 1 };
            for _ in 0..times {
                self.kill(&ask, moment).await;
            }
        }
        // A job that had begun goes on by itself.
        let base = self.base().await;
        self.rest(&ask).await;
        let first = send(self.client.clone(), base.clone(), ask.clone()).await.expect("an answer");
        assert!(matches!(first.0, 200 | 201), "{}: {first:?}", ask.path);
        self.rest(&ask).await;
        let then = send(self.client.clone(), base.clone(), ask.clone()).await.expect("an answer");
        if !ask.once.is_empty() {
            assert_eq!(then, first, "one key has one answer");
        }
        let again = send(self.client.clone(), base, ask).await.expect("an answer");
        assert_eq!(again, then);
        again.1
    }

    /// As [`Self::survive`]; answers the payout as it is after it.
    async fn done(&mut self, ask: Ask, moments: &[Moment]) -> Json {
        self.survive(ask, moments).await;
        self.now().await
    }

    /// The payout as it is now.
    async fn now(&self) -> Json {
        let id = match self.payout {
            0 => self.app.number("SELECT max(id) FROM payouts").await,
            id => id,
        };
        call(&self.app, "GET", &format!("/v1/payouts/{id}"), None).await.is(200).json()
    }

    /// Waits until nothing is left to do.
    async fn rest(&self, ask: &Ask) {
        let since = Instant::now();
        while self.jobs().await > 0 {
            assert!(since.elapsed() < Duration::from_secs(60), "{}: the job does not go on", ask.path);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// (held, due, paying, paid) in amounts of one referrer.
    async fn sums(&self) -> [i64; 4] {
        let mut sums = [0; 4];
        for (sum, account) in sums.iter_mut().zip(["held", "due", "paying", "paid"]) {
            let of = "SELECT CAST(COALESCE(sum(amount), 0) AS BIGINT) FROM ledger_entries WHERE account";
            *sum = self.app.number(&format!("{of} = '{account}'")).await;
            assert_eq!(*sum % EACH, 0);
            *sum /= EACH;
        }
        sums
    }

    /// A report about some lines of the payout, with the same status for each.
    async fn report(&self, lines: &[(&str, usize, &str)]) -> Ask {
        let mut rows = "Customer ID,Status,Amount,Currency\n".to_owned();
        for (state, most, status) in lines {
            let ids = format!(
                "SELECT id FROM payout_lines WHERE payout_id = {} AND state = '{state}' ORDER BY id",
                self.payout
            );
            let ids: Vec<(i64,)> = self.app.rows(&ids).await;
            let unnamed = ids.into_iter().map(|(id,)| refdesk::id::render(refdesk::id::Kind::PayoutLine, id));
            let unnamed: Vec<String> = unnamed.filter(|id| !rows.contains(id)).take(*most).collect();
            assert_eq!(unnamed.len(), *most);
            rows.extend(unnamed.iter().map(|id| format!("{id},{status},20.00,USD\n")));
        }
        Ask { kind: "text/csv", body: rows, ..self.about("/results", "", Json::Null) }
    }
}

async fn a_payout_survives_a_kill_at_every_step(database: Arc<Database>) {
    let mut desk = Desk::start(&database).await;
    let people = PEOPLE as i64;
    let new = json!({ "currency": "USD", "method": "hand" });

    let draft = desk.ask("", "draft", new.clone());
    let found = desk.done(draft, &[Within(60), Lines("'in'", 200), Lines("'in'", 400), Within(400)]).await;
    assert_eq!(
        (&found["state"], &found["line_count"], &found["amount_minor"]),
        (&json!("draft"), &json!(people), &json!(people * EACH))
    );
    assert_eq!(desk.app.number("SELECT count(*) FROM payouts").await, 1);
    desk.payout = desk.app.number("SELECT id FROM payouts").await;

    let seen = json!({ "fingerprint": found["fingerprint"] });
    let lots = [Within(60), Lines("'locked'", 100), Lines("'locked'", 200), Within(400), Lines("'locked'", 400)];
    let locked = desk.done(desk.about("/lock", "lock", seen), &lots).await;
    assert_eq!((&locked["state"], desk.sums().await), (&json!("locked"), [0, 0, people, 0]));

    let why = json!({ "reason": "the wrong day" });
    let lots = [Within(60), Lines("'in'", 100), Lines("'in'", 300), Within(400)];
    let undone = desk.done(desk.about("/unlock", "undo", why), &lots).await;
    assert_eq!((&undone["state"], desk.sums().await), (&json!("draft"), [0, people, 0, 0]));

    let asked = json!({ "approval": "anyone" });
    call(&desk.app, "POST", "/v1/payout-settings", Some(asked)).await.is(200);
    let seen = json!({ "fingerprint": undone["fingerprint"] });
    let locked = desk.done(desk.about("/lock", "lock again", seen), &[Lines("'locked'", 300)]).await;
    assert_eq!(locked["state"], "locked");
    let second = Ask { key: desk.app.key(true).await, ..desk.about("/approve", "approve", json!({})) };
    let approved = desk.done(second, &[Within(40), Within(80)]).await;
    assert_eq!((&approved["state"], desk.sums().await), (&json!("approved"), [0, 0, people, 0]));

    let file = file_of(&mut desk, &[Within(40), Within(120)]).await;
    assert_eq!(file.lines().count(), PEOPLE + 1);

    let told = desk.report(&[("locked", 220, "Completed"), ("locked", 30, "Failed")]).await;
    let settled = "'paid', 'failed'";
    let read = desk.survive(told, &[Within(60), Lines(settled, 100), Lines(settled, 200), Within(400)]).await;
    assert_eq!(read["counts"], json!({ "already_so": 250 }));
    assert_eq!(desk.sums().await, [0, 30, people - 250, 220]);
    let told = desk.report(&[("paid", 120, "Returned")]).await;
    let read = desk.survive(told, &[Lines("'returned'", 100)]).await;
    assert_eq!(read["counts"], json!({ "already_so": 120 }));
    assert_eq!(desk.sums().await, [0, 150, people - 250, 100]);

    let day = json!({ "day": "2026-07-21" });
    let lots = [Within(60), Lines("'paid'", 200), Within(200)];
    let paid = desk.done(desk.about("/paid", "pay", day), &lots).await;
    assert_eq!((&paid["state"], desk.sums().await), (&json!("approved"), [0, 150, 0, people - 150]));
    let closed = desk.done(desk.about("/close", "close", json!({})), &[Within(40), Within(80)]).await;
    assert_eq!(closed["state"], "closed");
    assert_eq!(file_of(&mut desk, &[]).await, file, "the file is the same for ever");

    // The next payout pays what failed and came back, and nothing else.
    let call_off = json!({ "approval": "none" });
    call(&desk.app, "POST", "/v1/payout-settings", Some(call_off)).await.is(200);
    desk.payout = 0;
    let next = desk.done(desk.ask("", "next", new), &[Within(120)]).await;
    assert_eq!(
        (&next["number"], &next["line_count"], &next["amount_minor"]),
        (&json!(2), &json!(150), &json!(150 * EACH))
    );
    desk.payout = desk.app.number("SELECT max(id) FROM payouts").await;
    let seen = json!({ "fingerprint": next["fingerprint"] });
    desk.survive(desk.about("/lock", "lock next", seen), &[Lines("'locked'", 100)]).await;
    desk.survive(desk.about("/paid", "pay next", json!({})), &[Lines("'paid'", 100)]).await;
    let closed = desk.done(desk.about("/close", "close next", json!({})), &[Within(40)]).await;
    assert_eq!((text(&closed["state"]), desk.sums().await), ("closed", [0, 0, 0, people]));
    let unpaid = format!(
        "SELECT count(*) FROM commissions c WHERE c.state <> 'paid' OR c.amount <> {EACH} OR {EACH} <>
            (SELECT sum(e.amount) FROM ledger_entries e WHERE e.commission_id = c.id AND e.account = 'paid')"
    );
    assert_eq!(desk.app.number(&unpaid).await, 0, "each was paid once");
    let twice = "SELECT count(*) FROM (SELECT referrer_id FROM payout_lines WHERE state = 'paid'
        GROUP BY referrer_id HAVING count(*) > 1) t";
    assert_eq!(desk.app.number(twice).await, 0);
    println!("{} kills, {} of them in the middle of a job", desk.kills, desk.midway);
    assert!(desk.midway >= 5, "only {} kills met a job", desk.midway);
}

/// The file of the payout, with kills while it is made.
async fn file_of(desk: &mut Desk, moments: &[Moment]) -> String {
    let get = |desk: &Desk, base: &str| {
        let path = format!("{base}/v1/payouts/{}/file?format=csv", desk.payout);
        desk.client.get(path).bearer_auth(&desk.app.business.api_key).send()
    };
    for moment in moments {
        let base = desk.base().await;
        let call = tokio::spawn(get(desk, &base));
        if let Within(most) = moment {
            tokio::time::sleep(Duration::from_millis(desk.random.random_range(0..*most))).await;
        }
        desk.server.take().expect("a server").kill();
        desk.kills += 1;
        drop(call.await);
    }
    let base = desk.base().await;
    let (one, two) = (get(desk, &base).await.expect("an answer"), get(desk, &base).await.expect("an answer"));
    assert_eq!((one.status().as_u16(), two.status().as_u16()), (200, 200));
    let (one, two) = (one.text().await.expect("a file"), two.text().await.expect("a file"));
    assert_eq!(one, two);
    one
}
