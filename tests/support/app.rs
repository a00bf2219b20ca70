//! A real server on a port of its own, with a clock that tests move.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use refdesk::app::App;
use refdesk::business::{self, Created, NewBusiness, Owner};
use refdesk::clock::{Clock, Instant, Zone};
use refdesk::config::{Config, Settings};
use refdesk::db::{Db, DbResult, FromDb, Tx, sql_built};
use refdesk::email::Email;
use refdesk::keys::{self, NewKey};
use refdesk::money::{Currency, Rate};
use refdesk::users;
use refdesk::users::Role;
use refdesk::web::server;
use serde_json::Value as Json;

use super::{Answer, Database, Engine, Shop, Start, Visitor};

/// The key of payout details on PostgreSQL, where no file can hold one.
pub const SECRET_KEY: &str = "7f3a1c5e9b2d4860a1c3e5f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b";

pub const PASSWORD: &str = "correct horse battery";

/// A business as set-up made it.
#[derive(Debug, Clone)]
pub struct Business {
    pub id: i64,
    pub public_id: String,
    pub campaign_id: i64,
    /// The product as the API names it, and its row.
    pub product_id: String,
    pub product_row: i64,
    pub api_key: String,
    pub owner_id: i64,
    pub owner_email: String,
}

/// A server that was never set up.
pub struct EmptyApp {
    pub app: App,
    pub clock: Clock,
    pub database: Arc<Database>,
    visitor: Visitor,
}

/// A server with one business: United States dollars, UTC, 20 % on every payment, 14 days of hold. What
/// is not found here is found on the [`Visitor`] it stands for: the owner, once signed in.
pub struct TestApp {
    server: EmptyApp,
    pub business: Business,
}

impl Start for EmptyApp {
    async fn start(database: Arc<Database>) -> Self {
        let clock = Clock::fixed(Instant::parse_rfc3339("2026-06-20T12:00:00Z").expect("an instant"));
        Self::on(database, clock).await
    }
}

impl EmptyApp {
    /// A server on a database that exists.
    pub async fn on(database: Arc<Database>, clock: Clock) -> Self {
        let db = Db::open(&database.url).await.expect("the database opens");
        Self::with(db, database, clock).await
    }

    pub async fn with(db: Db, database: Arc<Database>, clock: Clock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let settings = Settings {
            listen: Some(listener.local_addr().expect("an address")),
            database_url: Some(database.url.clone()),
            secret_key: (database.engine == Engine::Postgres).then(|| SECRET_KEY.parse().expect("a key")),
            ..Settings::default()
        };
        let config = settings.checked().expect("settings that make sense");
        Self::as_configured(db, database, clock, config, listener).await
    }

    /// A server of the same database that waits no longer than this for a caller who dawdles.
    pub async fn with_patience(&self, patience: Duration) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let listen = listener.local_addr().expect("an address");
        let config =
            Config { listen, public_url: format!("http://{listen}"), patience, ..self.app.config.as_ref().clone() };
        Self::as_configured(self.app.db.clone(), self.database.clone(), self.clock.clone(), config, listener).await
    }

    /// A server of the same database on which a key without a limit of its own may call so often.
    pub async fn with_calls_per_minute(&self, calls_per_minute: i64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let listen = listener.local_addr().expect("an address");
        let public_url = format!("http://{listen}");
        let config = Config { listen, public_url, calls_per_minute, ..self.app.config.as_ref().clone() };
        Self::as_configured(self.app.db.clone(), self.database.clone(), self.clock.clone(), config, listener).await
    }

    /// A server of the same database that believes what a proxy on this machine says of callers.
    pub async fn behind_a_proxy(&self) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let listen = listener.local_addr().expect("an address");
        let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
        let public_url = format!("http://{listen}");
        let config = Config { listen, public_url, trusted_proxies, ..self.app.config.as_ref().clone() };
        Self::as_configured(self.app.db.clone(), self.database.clone(), self.clock.clone(), config, listener).await
    }

    async fn as_configured(
        db: Db,
        database: Arc<Database>,
        clock: Clock,
        config: Config,
        listener: tokio::net::TcpListener,
    ) -> Self {
        let visitor = Visitor::new(&config.public_url);
        let app = App::new(db, clock.clone(), config);
        let router = refdesk::router::router(&app);
        tokio::spawn(server::serve(listener, router, app.config.patience, app.stop.clone()));
        Self { app, clock, database, visitor }
    }

    /// Does what waits in the background; the servers of tests do nothing by themselves.
    pub async fn run_jobs(&self) {
        refdesk::jobs::run_all(&self.app, &refdesk::router::job_kinds()).await.expect("the jobs run");
    }

    /// Does what waits in the background while something is asked whose answer may wait for it, and once
    /// more after the answer.
    pub async fn with_jobs<T>(&self, asked: impl Future<Output = T>) -> T {
        let answered = std::cell::Cell::new(false);
        let asking = async {
            let answer = asked.await;
            answered.set(true);
            answer
        };
        let working = async {
            while !answered.get() {
                self.run_jobs().await;
                tokio::task::yield_now().await;
            }
            self.run_jobs().await;
        };
        tokio::join!(asking, working).0
    }

    pub fn engine(&self) -> Engine {
        self.database.engine
    }

    pub fn is_postgres(&self) -> bool {
        self.database.engine == Engine::Postgres
    }

    /// A number from the database.
    pub async fn number(&self, text: &str) -> i64 {
        self.rows::<(i64,)>(text).await.first().unwrap_or_else(|| panic!("no row from {text}")).0
    }

    /// Rows from the database.
    pub async fn rows<T: FromDb>(&self, text: &str) -> Vec<T> {
        let mut conn = self.app.db.read().await.expect("a connection");
        sql_built(text.to_owned()).all(&mut conn).await.unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    /// Breaks something on purpose: the invariants are not proved after this test.
    pub async fn tamper(&self, text: &str) -> u64 {
        self.database.tampered();
        self.arrange(text).await
    }

    /// Changes the database past the application, for what has no verb yet.
    pub async fn arrange(&self, text: &str) -> u64 {
        self.app.db.write(vec![], text.to_owned(), run_text).await.expect("the statement runs")
    }
}

impl Deref for EmptyApp {
    type Target = Visitor;
    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl Deref for TestApp {
    type Target = EmptyApp;
    fn deref(&self) -> &EmptyApp {
        &self.server
    }
}

impl Start for TestApp {
    async fn start(database: Arc<Database>) -> Self {
        let server = EmptyApp::start(database).await;
        let business = make_business(&server.app, "Acme", "owner@example.com").await;
        // Somebody listens, so that messages are written and can be looked at.
        server.arrange("UPDATE businesses SET listens = true").await;
        Self { server, business }
    }
}

/// The hash of everybody's password, by the least work that Argon2 takes: checking a password does the work
/// that its hash says, and a thousand tests sign in. What a new password costs is tested where it is made.
fn password_hash() -> String {
    let least = Params::new(Params::MIN_M_COST, 1, 1, None).expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, least);
    argon2.hash_password(PASSWORD.as_bytes()).expect("a hash").to_string()
}

async fn make_business(app: &App, name: &str, owner: &str) -> Business {
    let new = NewBusiness {
        name: name.to_owned(),
        zone: Zone::parse("UTC").expect("a zone"),
        currency: Currency::parse("USD").expect("a currency"),
        country: "US".to_owned(),
        owner: Owner {
            email: Email::parse(owner).expect("an address"),
            name: format!("{name} Owner"),
            password_hash: password_hash(),
        },
        campaign: "Refer a friend".to_owned(),
        product: "Pro plan".to_owned(),
        referral_rate: Rate::parse("20").expect("a rate"),
        recurring_rate: Rate::parse("20").expect("a rate"),
        hold_days: 14,
        only_first: false,
    };
    let made = business::create(app, new).await.expect("a business");
    let Created::Made { business_id, public_id, campaign_id, product_id, api_key, user_id } = made else {
        panic!("no business was made");
    };
    let mut conn = app.db.read().await.expect("a connection");
    let product_row: i64 = refdesk::db::sql("SELECT id FROM products WHERE public_id = $1")
        .bind(&product_id)
        .scalar(&mut conn)
        .await
        .expect("the product");
    Business {
        id: business_id,
        public_id,
        campaign_id,
        product_id,
        product_row,
        api_key,
        owner_id: user_id,
        owner_email: owner.to_owned(),
    }
}

impl TestApp {
    /// A server on a database that has this business already.
    pub async fn another_node(&self) -> Self {
        let server = EmptyApp::on(self.database.clone(), self.clock.clone()).await;
        Self { server, business: self.business.clone() }
    }

    /// As [`Self::another_node`], by another address of the same database.
    pub async fn another_node_by(&self, url: &str) -> Self {
        let db = Db::open(url).await.expect("the database opens");
        let server = EmptyApp::with(db, self.database.clone(), self.clock.clone()).await;
        Self { server, business: self.business.clone() }
    }

    /// As [`Self::another_node`], without PostgreSQL's advisory locks: shows that a race test can fail.
    pub async fn another_unlocked_node(&self) -> Self {
        let db = Db::open_unlocked(&self.database.url).await.expect("the database opens");
        let server = EmptyApp::with(db, self.database.clone(), self.clock.clone()).await;
        Self { server, business: self.business.clone() }
    }

    /// A server of the same database whose Stripe is at this address.
    pub async fn with_stripe(&self, stripe_api: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let listen = listener.local_addr().expect("an address");
        let (public_url, stripe_api) = (format!("http://{listen}"), stripe_api.to_owned());
        let config = Config { listen, public_url, stripe_api, ..self.app.config.as_ref().clone() };
        let (db, database) = (self.app.db.clone(), self.database.clone());
        let server = EmptyApp::as_configured(db, database, self.clock.clone(), config, listener).await;
        Self { server, business: self.business.clone() }
    }

    /// Signs the owner in.
    pub async fn sign_in(&self) {
        self.sign_in_as(&self.business.owner_email, PASSWORD).await.goes_to("/");
    }

    /// Somebody with this role, signed in.
    pub async fn member(&self, role: Role) -> Visitor {
        self.member_of(&self.business, role).await
    }

    /// Somebody with this role in a business, signed in.
    pub async fn member_of(&self, business: &Business, role: Role) -> Visitor {
        let email = self.add_member(business, role).await;
        let visitor = self.stranger();
        visitor.sign_in_as(&email, PASSWORD).await.goes_to("/");
        visitor
    }

    /// Makes a user with this role; answers the address they sign in with, by [`PASSWORD`].
    pub async fn add_member(&self, business: &Business, role: Role) -> String {
        let id = self.app.ids.next().await.expect("an id");
        let address = format!("{}-{id}@example.com", role.word());
        let email = Email::parse(&address).expect("an address");
        let new = NewMember { id, email, hash: password_hash(), business_id: business.id, role };
        self.app.db.write(vec![], new, add_member).await.expect("a member");
        address
    }

    /// A further business on the same server.
    pub async fn another_business(&self, name: &str) -> Business {
        make_business(&self.app, name, &format!("owner@{}.example", name.to_lowercase())).await
    }

    /// A key of the business that may do everything, live or test.
    pub async fn key(&self, live: bool) -> String {
        let text = refdesk::id::new_api_key(live, &mut rand::rng());
        let id = self.app.ids.next().await.expect("an id");
        let key = NewKey::full(id, self.business.id, "A key", &text, None);
        self.app.db.write(vec![], key, insert_key).await.expect("a key");
        text
    }

    pub async fn api_post(&self, path: &str, body: Json) -> Answer {
        self.call("POST", path, &self.business.api_key, Some(body)).await
    }

    pub async fn api_put(&self, path: &str, body: Json) -> Answer {
        self.call("PUT", path, &self.business.api_key, Some(body)).await
    }

    pub async fn api_get(&self, path: &str) -> Answer {
        self.call("GET", path, &self.business.api_key, None).await
    }

    /// The deeds of people and events in the business, past the pages.
    pub fn shop(&self) -> Shop<'_> {
        Shop { app: &self.app, business: &self.business }
    }

    pub fn shop_of<'a>(&'a self, business: &'a Business) -> Shop<'a> {
        Shop { app: &self.app, business }
    }
}

/// Three servers on one PostgreSQL database; on SQLite, which has one process, one.
pub struct ThreeNodes {
    pub nodes: Vec<TestApp>,
}

impl Start for ThreeNodes {
    async fn start(database: Arc<Database>) -> Self {
        let engine = database.engine;
        let mut nodes = vec![TestApp::start(database).await];
        if engine == Engine::Postgres {
            for _ in 0..2 {
                let node = nodes[0].another_node().await;
                nodes.push(node);
            }
        }
        Self { nodes }
    }
}

impl ThreeNodes {
    /// The node a caller's number falls to.
    pub fn node(&self, number: usize) -> &TestApp {
        &self.nodes[number % self.nodes.len()]
    }
}

impl Deref for ThreeNodes {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.nodes[0]
    }
}

/// Runs one statement, whatever it is.
#[expect(clippy::ptr_arg, reason = "a write lends its job the input as it owns it")]
pub async fn run_text(tx: &mut Tx, text: &String) -> DbResult<u64> {
    sql_built(text.clone()).execute(tx).await
}

struct NewMember {
    id: i64,
    email: Email,
    hash: String,
    business_id: i64,
    role: Role,
}

async fn add_member(tx: &mut Tx, new: &NewMember) -> DbResult<()> {
    let (now, name) = (tx.now(), format!("Sam {}", new.role.word()));
    users::insert_user(tx, new.id, &new.email, &name, &new.hash, now).await?;
    users::insert_membership(tx, new.business_id, new.id, new.role, now).await
}

async fn insert_key(tx: &mut Tx, key: &NewKey) -> DbResult<()> {
    let now = tx.now();
    keys::insert(tx, key, now).await
}
