//! A real browser: Chromium by chromedriver, one for each of two tests at a time, for the whole run. Its
//! cookies are cleared between tests. It resolves no host name but those of `shop.example`, so a page that needs the
//! internet fails.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, MutexGuard, OnceCell, Semaphore, SemaphorePermit};

use super::{EmptyApp, PASSWORD, TestApp};

/// A browser; tests take turns.
struct Driver {
    client: Client,
    /// The session's address at chromedriver.
    session: String,
    /// For the commands that the client has no words for.
    http: reqwest::Client,
    axe: String,
    _process: Child,
}

/// A browser's place, with the turn of the test that has it.
struct Place {
    driver: OnceCell<Driver>,
    turn: Mutex<()>,
}

impl Place {
    const fn new() -> Self {
        Self { driver: OnceCell::const_new(), turn: Mutex::const_new(()) }
    }
}

/// A test that waits for a browser keeps a processor from all other tests, and the accessibility of every page takes a
/// minute and more. So there are two.
static PLACES: [Place; BROWSERS] = [const { Place::new() }; BROWSERS];
static FREE: Semaphore = Semaphore::const_new(BROWSERS);
const BROWSERS: usize = 2;

/// Each test has a runtime of its own; the connections to the browsers outlive them.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
    })
}

/// A browser at one server, for one test.
pub struct Browser {
    driver: &'static Driver,
    base: String,
    // Given back in this order: who has a permit finds a place whose turn is over.
    _turn: MutexGuard<'static, ()>,
    _permit: SemaphorePermit<'static>,
}

/// Starts chromedriver in a process group of its own that ends with this process.
fn start_driver() -> (Child, u16) {
    let script = "dir=$(mktemp -d /tmp/refdesk-browser.XXXXXX); export TMPDIR=$dir HOME=$dir
        chromedriver --port=0 & read _; trap '' TERM; kill -TERM 0; sleep 0.3; rm -rf \"$dir\"; kill -KILL 0";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let out = BufReader::new(child.stdout.take().expect("its output"));
    let port = out.lines().map_while(Result::ok).find_map(|line| {
        line.strip_prefix("ChromeDriver was started successfully on port ")?.strip_suffix('.')?.parse().ok()
    });
    let port = port.expect("chromedriver starts (Debian: apt-get install chromium chromium-driver; tests/run does it)");
    (child, port)
}

/// axe-core is not ours to ship (MPL-2.0): `tests/run` fetches it from the npm registry.
fn axe() -> String {
    let file = std::env::var_os("REFDESK_AXE")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("../axe-core-4.14.1.min.js"), PathBuf::from);
    std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{} is missing: tests/run fetches it", file.display()))
}

impl Place {
    async fn driver(&self) -> &Driver {
        self.driver.get_or_init(Driver::start).await
    }
}

impl Driver {
    async fn start() -> Self {
        let (process, port) = start_driver();
        let address = format!("http://127.0.0.1:{port}");
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--window-size=1280,900",
            "--force-prefers-reduced-motion",
            "--lang=en-GB",
            "--host-resolver-rules=MAP *.shop.example 127.0.0.1 , MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        ];
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Json::Object(capabilities) = capabilities else { unreachable!() };
        let to = address.clone();
        let client = runtime().spawn(async move {
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&to).await
        });
        let client = client.await.expect("the browser's task").expect("a browser session");
        let id = client.session_id().await.expect("a session").expect("its id");
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Self { client, session: format!("{address}/session/{id}"), http, axe: axe(), _process: process }
    }
}

impl Browser {
    /// Opens nothing yet; cookies, size and colours are as at the start.
    pub async fn at(app: &EmptyApp) -> Self {
        let permit = FREE.acquire().await.expect("the semaphore is never closed");
        let free = PLACES.iter().find_map(|place| Some((place, place.turn.try_lock().ok()?)));
        let (place, turn) = free.expect("there are as many places as permits");
        let driver = place.driver().await;
        let browser = Self { driver, base: app.url(""), _turn: turn, _permit: permit };
        driver.client.goto(&app.url("/healthz")).await.expect("the server answers");
        driver.client.delete_all_cookies().await.expect("cookies can be cleared");
        browser.desktop().await;
        browser.dark(false).await;
        browser
    }

    /// The same, with the owner signed in by the form.
    pub async fn signed_in(app: &TestApp) -> Self {
        let browser = Self::at(app).await;
        browser.go("/sign-in").await;
        browser.fill("email", &app.business.owner_email).await;
        browser.fill("password", PASSWORD).await;
        browser.press("Sign in").await;
        assert_eq!(browser.path().await, "/", "the owner is signed in");
        browser
    }

    fn client(&self) -> &Client {
        &self.driver.client
    }

    pub async fn run(&self, script: &str, arguments: Vec<Json>) -> Json {
        self.client().execute(script, arguments).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Opens a page of the server.
    pub async fn go(&self, path: &str) {
        self.client().goto(&format!("{}{path}", self.base)).await.unwrap_or_else(|e| panic!("{path}: {e}"));
    }

    /// Opens a page of another server.
    pub async fn visit(&self, url: &str) {
        self.client().goto(url).await.unwrap_or_else(|e| panic!("{url}: {e}"));
    }

    /// The cookies that the open page's server gets, as the browser's tools list them.
    pub async fn cookies(&self) -> Vec<Json> {
        let body = json!({ "cmd": "Network.getCookies", "params": {} });
        let found = self.command("goog/cdp/execute", body).await;
        found["cookies"].as_array().cloned().unwrap_or_default()
    }

    /// Forgets the cookies of every server.
    pub async fn forget_cookies(&self) {
        self.command("goog/cdp/execute", json!({ "cmd": "Network.clearBrowserCookies", "params": {} })).await;
    }

    /// Path and query of the page that is open.
    pub async fn path(&self) -> String {
        let url = self.client().current_url().await.expect("an address");
        url.as_str().trim_start_matches(&self.base).to_owned()
    }

    async fn shown(&self, locator: Locator<'_>) -> Option<Element> {
        for element in self.client().find_all(locator).await.expect("a search of the page") {
            if element.is_displayed().await.unwrap_or(false) {
                return Some(element);
            }
        }
        None
    }

    async fn must_see(&self, locator: Locator<'_>) -> Element {
        match self.shown(locator).await {
            Some(element) => element,
            None => panic!("{locator:?} is not on {}: {}", self.path().await, self.text("body").await),
        }
    }

    /// Types into a field, by its name, in place of what it holds.
    pub async fn fill(&self, field: &str, text: &str) {
        let element = self.must_see(Locator::Css(&format!("[name=\"{field}\"]"))).await;
        element.clear().await.expect("the field can be cleared");
        element.send_keys(text).await.expect("the field takes keys");
    }

    /// Chooses a file for a field.
    pub async fn choose_file(&self, field: &str, file: &Path) {
        let css = format!("input[type=file][name=\"{field}\"]");
        let element = self.client().find(Locator::Css(&css)).await.unwrap_or_else(|e| panic!("{css}: {e}"));
        element.send_keys(&file.display().to_string()).await.expect("the field takes a file");
    }

    /// Chooses an option of a select by its words.
    pub async fn choose(&self, field: &str, words: &str) {
        let element = self.must_see(Locator::Css(&format!("select[name=\"{field}\"]"))).await;
        element.select_by_label(words).await.unwrap_or_else(|e| panic!("{words:?} in {field}: {e}"));
    }

    /// Clicks what is found, without waiting for another page.
    pub async fn click(&self, css: &str) {
        self.must_see(Locator::Css(css)).await.click().await.unwrap_or_else(|e| panic!("{css}: {e}"));
    }

    /// Presses the button or link with these words and waits until the next page is there.
    pub async fn press(&self, words: &str) {
        let path = format!("//*[self::button or self::a][normalize-space(.)='{words}']");
        let element = self.must_see(Locator::XPath(&path)).await;
        // The old page may still answer for a moment; it has the mark, the next one does not.
        self.run("window.__old = true", vec![]).await;
        element.click().await.unwrap_or_else(|e| panic!("{words:?}: {e}"));
        self.next_page(words).await;
    }

    /// As [`Self::press`], by selector.
    pub async fn follow(&self, css: &str) {
        let element = self.must_see(Locator::Css(css)).await;
        self.run("window.__old = true", vec![]).await;
        element.click().await.unwrap_or_else(|e| panic!("{css}: {e}"));
        self.next_page(css).await;
    }

    async fn next_page(&self, after: &str) {
        let started = Instant::now();
        loop {
            let script = "return !window.__old && document.readyState === 'complete'";
            if self.client().execute(script, vec![]).await.is_ok_and(|there| there == json!(true)) {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(15), "no next page after {after:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the page holds this; for what a script changes.
    pub async fn wait_for(&self, css: &str) {
        let started = Instant::now();
        while self.shown(Locator::Css(css)).await.is_none() {
            assert!(started.elapsed() < Duration::from_secs(15), "{css} does not appear on {}", self.path().await);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    pub async fn texts(&self, css: &str) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText.trim().replace(/\\s+/g, ' '))";
        let found = self.run(script, vec![json!(css)]).await;
        serde_json::from_value(found).expect("texts")
    }

    /// The text of the first element that matches.
    pub async fn text(&self, css: &str) -> String {
        self.texts(css).await.into_iter().next().unwrap_or_default()
    }

    pub async fn has(&self, css: &str) -> bool {
        !self.texts(css).await.is_empty()
    }

    async fn command(&self, path: &str, body: Json) -> Json {
        let call = self.driver.http.post(format!("{}/{path}", self.driver.session)).json(&body);
        let answer = runtime().spawn(async move { call.send().await?.json::<Json>().await });
        let answer = answer.await.expect("the browser's task").expect("chromedriver answers in JSON");
        answer["value"].clone()
    }

    /// A phone held upright.
    pub async fn phone(&self) {
        self.size(390, 844).await;
    }

    pub async fn desktop(&self) {
        self.size(1280, 900).await;
    }

    /// Emulated: a window of its own size takes half a second to change.
    async fn size(&self, width: i64, height: i64) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("goog/cdp/execute", json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics }))
            .await;
    }

    /// The preference of the person's system.
    pub async fn dark(&self, on: bool) {
        let value = if on { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        let body = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.command("goog/cdp/execute", body).await;
    }

    /// Nothing is wider than the window.
    pub async fn fits(&self) {
        let over = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        let over = self.run(over, vec![]).await;
        assert!(over.as_i64() <= Some(0), "{} is {over} pixels too wide", self.path().await);
    }

    /// The complaints of the browser since it was last asked: blocked styles, failed scripts.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.command("se/log", json!({ "type": "browser" })).await;
        let severe = |entry: &&Json| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        let texts = log.as_array().into_iter().flatten().filter(severe).filter_map(|e| e["message"].as_str());
        // A form that comes back with errors is a 422 by design.
        texts.filter(|text| !text.contains("status of 4")).map(str::to_owned).collect()
    }

    /// axe finds nothing to complain about: WCAG 2.2 AA and its best practice.
    pub async fn accessible(&self) {
        let tags = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";
        self.audit(&format!("{{ type: 'tag', values: {tags} }}")).await;
    }

    /// The same by the rules about colours: the others find in dark what they find in light.
    pub async fn readable(&self) {
        self.audit("{ type: 'rule', values: ['color-contrast', 'link-in-text-block'] }").await;
    }

    async fn audit(&self, rules: &str) {
        if self.run("return !window.axe", vec![]).await == json!(true) {
            self.run(&self.driver.axe, vec![]).await;
        }
        let script = format!(
            "const done = arguments[arguments.length - 1];
            axe.run({{ runOnly: {rules}, resultTypes: ['violations'] }}).then(
                r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' (' + n.failureSummary + ')').join('; '))),
                e => done(['axe failed: ' + e]))"
        );
        let found = self.client().execute_async(&script, vec![]).await.expect("axe runs");
        assert_eq!(found, json!([]), "violations on {}", self.path().await);
    }

    /// Takes all but the first call and the first object of each group of the documentation out of the page: one template
    /// draws them all, and axe needs time for every one. No id of the whole page is there twice, and its headings go
    /// down by one level at a time.
    pub async fn thin_documentation(&self) {
        let script = "
            const all = [...document.querySelectorAll('.docs-group')].length ? [...document.querySelectorAll('[id]')] : [];
            const ids = all.map(e => e.id), seen = new Set(), wrong = ids.filter(id => seen.has(id) || !seen.add(id));
            let level = 0;
            if (all.length) for (const h of document.querySelectorAll('main :is(h1, h2, h3, h4, h5, h6)')) {
                if (+h.tagName[1] > level + 1) wrong.push(`${h.tagName} after H${level}: ${h.textContent}`);
                level = +h.tagName[1];
            }
            for (const group of document.querySelectorAll('.docs-group'))
                for (const part of ['.docs-call', '.docs-object'])
                    [...group.querySelectorAll(':scope > ' + part)].slice(1).forEach(more => more.remove());
            return wrong";
        assert_eq!(self.run(script, vec![]).await, json!([]), "ids and headings of {}", self.path().await);
    }

    /// Keeps a picture in target/screenshots, for people.
    pub async fn screenshot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
        std::fs::create_dir_all(&folder).expect("the folder of screenshots");
        let picture = self.client().screenshot().await.expect("a picture");
        std::fs::write(folder.join(format!("{name}.png")), picture).expect("the picture is written");
    }
}
