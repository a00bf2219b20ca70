use askama::Template;
use axum::extract::OriginalUri;

use super::figures::{self, Arrival, Bar, Figure, Period};
use super::store;
use crate::clock::Instant;
use crate::db::Conn;
use crate::engine::payout::hold_before;
use crate::first_steps::pages::Checklist;
use crate::money::{Currency, Money};
use crate::providers::store::messages;
use crate::query::ListQuery;
use crate::shell::{Access, Frame, Page, Routes};
use crate::text::counted;
use crate::users::Right;
use crate::web::{Choice, Fault, PageResult, html};
use crate::when::When;
use crate::{counters, first_steps, payouts};

pub fn routes() -> Routes {
    Routes::new().get("/", Access::May(Right::Home), show)
}

#[derive(Template)]
#[template(path = "home/show.html")]
struct HomePage {
    frame: Frame,
    periods: Vec<Choice>,
    todo: Vec<Todo>,
    figures: Vec<Figure>,
    arrivals: Vec<Arrival>,
    axis: [String; 3],
    days: Vec<DayRow>,
    states: Vec<Bar>,
    holds: Vec<Bar>,
    money: bool,
    is_new: bool,
    /// The first steps, for those who set the programme up.
    steps: Option<Checklist>,
}

/// Something that waits for a person.
struct Todo {
    url: String,
    count: String,
    label: &'static str,
    detail: String,
    zero: bool,
    tone: &'static str,
}

/// One line of the numbers behind the chart of arrivals.
struct DayRow {
    day: String,
    values: Vec<String>,
}

async fn show(page: Page, OriginalUri(uri): OriginalUri) -> PageResult {
    let query = ListQuery::new("/", uri.query(), &["days"]);
    let days = [7, 30, 90].into_iter().find(|d| d.to_string() == query.get("days")).unwrap_or(30);
    let now = page.app.clock.now();
    let period = Period { today: page.member.zone.day_of(now), days };
    let mut conn = page.read().await?;
    let sees_all = page.member.may(Right::SeeLeads);
    let money = page.member.may(Right::SeeMoney);
    let (from, to) = (period.before().to_string(), period.today.to_string());
    let by_day = counters::by_day(&mut conn, page.campaign.id, "", &from, &to).await?;
    let todo = todo(&page, &mut conn, period, now).await?;
    let mut figures = Vec::new();
    let (mut states, mut holds) = (Vec::new(), Vec::new());
    if sees_all {
        figures = figures_of(&page, &mut conn, period, &by_day, money).await?;
    }
    if money {
        (states, holds) = commission(&page, &mut conn, period).await?;
    }
    let steps = match page.member.may(Right::EditReferrers) {
        true => first_steps::of(&mut conn, page.member.business_id).await?.filter(|steps| !steps.hidden),
        false => None,
    };
    drop(conn);
    let arrivals = if sees_all { figures::arrivals(period, &by_day) } else { Vec::new() };
    let is_new = sees_all
        && todo.iter().all(|t| t.zero)
        && figures.iter().all(|f| f.value.starts_with('0'))
        && arrivals.iter().all(|a| a.total == "0");
    let day = |i: i64| period.first().plus_days(i).shown();
    let numbers = (0..days)
        .rev()
        .map(|i| DayRow {
            day: day(i),
            values: arrivals
                .iter()
                .map(|a| counted(a.values.get(usize::try_from(i).unwrap_or(0)).copied().unwrap_or(0)))
                .collect(),
        })
        .collect();
    let frame = page.frame("home").await?;
    html(&HomePage {
        steps: steps.map(|steps| Checklist::of(steps, &frame, &page.campaign)),
        frame,
        periods: Choice::list(
            [("7", "Last 7 days"), ("30", "Last 30 days"), ("90", "Last 90 days")],
            &days.to_string(),
        ),
        is_new,
        todo,
        figures,
        arrivals,
        axis: [day(0), day(days / 2), day(days - 1)],
        days: numbers,
        states,
        holds,
        money,
    })
}

async fn todo(page: &Page, conn: &mut Conn, period: Period, now: Instant) -> Result<Vec<Todo>, Fault> {
    let member = &page.member;
    let mut todo = Vec::new();
    if member.may(Right::SeeInbox) {
        let open = crate::inbox::open_count(conn, member.business_id).await?;
        let oldest = store::oldest_item(conn, member.business_id).await?;
        let detail = oldest.map_or_else(
            || "nothing waits".to_owned(),
            |at| format!("oldest {}", When::at(member.zone, now, Instant::from_micros(at)).label),
        );
        let count = if open >= 100 { "100+".to_owned() } else { counted(open) };
        todo.push(Todo {
            url: "/inbox".into(),
            count,
            label: "in the inbox",
            detail,
            zero: open == 0,
            tone: "warning",
        });
    }
    if member.may(Right::SeeMoney) {
        let week = hold_before(period.today.plus_days(6)).to_string();
        let soon = store::holds(conn, member.business_id, page.campaign.id, "", &week).await?;
        let count: i64 = soon.iter().map(|d| d.count).sum();
        let sums: Vec<String> =
            soon.iter().filter_map(|d| Some(figures::money(d.amount, Currency::parse(&d.currency).ok()?))).collect();
        let count_text = if count >= store::MOST { format!("{}+", counted(store::MOST)) } else { counted(count) };
        let detail = if sums.is_empty() { "none this week".to_owned() } else { sums.join(" and ") };
        let url = page.at("/commissions?state=pending&sort=hold");
        todo.push(Todo {
            url,
            count: count_text,
            label: "commissions to be approved this week",
            detail,
            zero: count == 0,
            tone: "",
        });
    }
    if member.may(Right::SeeCampaigns) {
        let (failed, accounts) = messages::troubles(conn, member.business_id).await?;
        if failed + accounts > 0 {
            let detail = match accounts {
                0 => "each says what is wrong".to_owned(),
                1 => "and an account is not connected as it should be".to_owned(),
                n => format!("and {n} accounts are not connected as they should be"),
            };
            todo.push(Todo {
                url: if failed > 0 { "/provider-messages?state=failed".into() } else { page.at("/campaigns") },
                count: counted(failed),
                label: "messages about payments to look at",
                detail,
                zero: false,
                tone: "warning",
            });
        }
    }
    if member.may(Right::DecideMoney) {
        let (campaign, today) = (page.campaign.id, period.today);
        let count = crate::customer_rewards::count_ready(conn, campaign, page.test, today, store::MOST).await?;
        if count > 0 {
            todo.push(Todo {
                url: page.at("/customer-rewards"),
                count: if count >= store::MOST { format!("{}+", counted(store::MOST)) } else { counted(count) },
                label: "customer rewards to give",
                detail: "to referred customers".into(),
                zero: false,
                tone: "",
            });
        }
    }
    if member.may(Right::Pay) {
        todo.push(to_pay(page, conn, period).await?);
        let waiting = crate::adjustments::waiting(conn, member.business_id).await?;
        if waiting > 0 {
            todo.push(Todo {
                url: "/adjustments?state=pending".into(),
                count: if waiting >= 100 { "100+".to_owned() } else { counted(waiting) },
                label: "adjustments to be approved",
                detail: "by a second person".into(),
                zero: false,
                tone: "warning",
            });
        }
    }
    if member.may(Right::EditReferrers) {
        let without = store::without_code(conn, page.campaign.id).await?;
        let count = if without >= store::MOST { format!("{}+", counted(without)) } else { counted(without) };
        let detail = if without == 0 { "everybody has one" } else { "generate codes" };
        todo.push(Todo {
            url: page.at("/referrers?code=none"),
            count,
            label: "referrers without a code",
            detail: detail.into(),
            zero: without == 0,
            tone: "",
        });
    }
    if !member.may(Right::SeeLeads) {
        let week = member.zone.start_of(period.today.plus_days(-6)).micros();
        let mine = store::recorded_by(conn, member.user_id, week).await?;
        let label = "referrals you recorded this week";
        todo.push(Todo {
            url: page.at("/leads"),
            count: counted(mine),
            label,
            detail: String::new(),
            zero: mine == 0,
            tone: "",
        });
    }
    Ok(todo)
}

/// The sums that payouts would pay now, of all campaigns, and since when they are due: those of the page of payouts. Of
/// very many commissions that page alone makes the sums.
async fn to_pay(page: &Page, conn: &mut Conn, period: Period) -> Result<Todo, Fault> {
    if store::payable(conn, page.member.business_id).await? >= store::MOST {
        return Ok(Todo {
            url: "/payouts".into(),
            count: format!("{}+", counted(store::MOST)),
            label: "commissions to be paid",
            detail: "see the sums".into(),
            zero: false,
            tone: "",
        });
    }
    let owed = payouts::owed(conn, page.member.business_id, period.today).await?;
    let (sums, since) = payouts::in_all(&owed);
    let is_left_out = owed.iter().any(|of| !of.left_out.is_empty());
    let mut shown = sums.iter().map(|money| money.shown());
    let count = shown.next().unwrap_or_else(|| figures::money(0, page.member.currency));
    let others: Vec<String> = shown.collect();
    let since = since.map(|day| format!("since {}", When::on(period.today, day).label));
    let others = (!others.is_empty()).then(|| format!("and {}", others.join(" and ")));
    let detail: Vec<String> = [others, since].into_iter().flatten().collect();
    let detail = match sums.is_empty() {
        true if is_left_out => "what is due is left out of payouts".to_owned(),
        true => "nothing is due".to_owned(),
        false => detail.join(", "),
    };
    Ok(Todo { url: "/payouts".into(), count, label: "to be paid", detail, zero: sums.is_empty(), tone: "" })
}

async fn figures_of(
    page: &Page,
    conn: &mut Conn,
    period: Period,
    by_day: &figures::ByDay,
    money: bool,
) -> Result<Vec<Figure>, Fault> {
    let with_code = store::with_code(conn, page.campaign.id).await?;
    let since = page.member.zone.start_of(period.first()).micros();
    let fresh = store::codes_since(conn, page.campaign.id, since).await?;
    let currency = page.member.currency;
    let more = if with_code >= store::MOST { "+" } else { "" };
    let mut all = vec![
        Figure {
            label: "Referrers with a code",
            value: format!("{}{more}", counted(with_code)),
            delta: if fresh > 0 { format!("+{}", counted(fresh)) } else { String::new() },
            against: format!("in the last {} days", period.days),
            tone: if fresh > 0 { "good" } else { "" },
            points: String::new(),
            url: page.at("/codes"),
        },
        Figure::of("Leads", page.at("/leads"), &period.values(by_day, "leads"), counted),
        Figure::of("Qualified", page.at("/leads?qualified=yes"), &period.values(by_day, "qualified"), counted),
    ];
    if money {
        let revenue = period.values(by_day, &format!("revenue.{}", currency.code()));
        all.push(Figure::of("Revenue", page.at("/commissions"), &revenue, |minor| figures::money(minor, currency)));
    }
    Ok(all)
}

/// Commission by state and the holds that end, in the business's currency.
async fn commission(page: &Page, conn: &mut Conn, period: Period) -> Result<(Vec<Bar>, Vec<Bar>), Fault> {
    let currency = page.member.currency;
    let totals = counters::totals(conn, &[page.campaign.id]).await?;
    let of = |account: &str| Money {
        minor: totals.get(&(page.campaign.id, format!("money.{account}.{}", currency.code()))).copied().unwrap_or(0),
        currency,
    };
    let row = |label: &str, account: &str, tone, state: &str, detail: String| {
        (label.to_owned(), of(account), tone, detail, page.at(&format!("/commissions?state={state}")))
    };
    let business_id = page.member.business_id;
    let disputed = crate::commissions::disputed(conn, business_id, page.campaign.id).await?;
    let disputed = disputed.into_iter().find(|(code, _)| code == currency.code());
    let with = disputed.map(|(_, minor)| format!("with {} approved, but disputed", figures::money(minor, currency)));
    let states = figures::bars(vec![
        row("Held", "held", "warning", "pending", with.unwrap_or_default()),
        row("Due", "due", "info", "approved", String::new()),
        row("Being paid", "paying", "info", "approved", String::new()),
        row("Paid", "paid", "good", "paid", String::new()),
    ]);
    let today = period.today;
    let mut spans = Vec::new();
    let (week, fortnight) = (today.plus_days(6), today.plus_days(13));
    for (label, after, by) in [
        (format!("by {}", week.shown()), None, week),
        (format!("by {}", fortnight.shown()), Some(week), fortnight),
        ("later".to_owned(), Some(fortnight), today.plus_days(36_500)),
    ] {
        // A hold that ends with the day itself is due on the next.
        let from = after.map_or_else(String::new, |day| day.to_string());
        let to = hold_before(by).to_string();
        let due = store::holds(conn, business_id, page.campaign.id, &from, &to).await?;
        let minor = due.iter().find(|d| d.currency == currency.code()).map_or(0, |d| d.amount);
        spans.push((label, Money { minor, currency }, "warning", String::new(), String::new()));
    }
    Ok((states, figures::bars(spans)))
}
