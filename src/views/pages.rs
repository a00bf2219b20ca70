//! Saving a list as a view, and removing one.

use axum::extract::Path;

use super::store::{self, NewView};
use super::{LISTS, LONGEST, MOST};
use crate::query::ListQuery;
use crate::shell::{Access, Page, Routes};
use crate::users::Right;
use crate::web::{Fault, Flash, Form, PageResult};

pub fn routes() -> Routes {
    Routes::new().post("/views", Access::May(Right::OwnLeads), save).post(
        "/views/{id}/remove",
        Access::May(Right::OwnLeads),
        remove,
    )
}

async fn save(page: Page, mut form: Form) -> PageResult {
    let Some(list) = LISTS.into_iter().find(|list| *list == form.value("list")) else {
        return Err(Fault::Bad("This list has no saved views.".into()));
    };
    let back = form.back(&format!("/{list}")).to_owned();
    let Some(name) = form.line("name", "The name", LONGEST) else {
        let why = form.errors.first().map_or("The name is missing.", |e| e.message.as_str()).to_owned();
        return page.go(&back, Flash::bad(why)).await;
    };
    let of_list = back.strip_prefix(&format!("/{list}")).filter(|rest| rest.is_empty() || rest.starts_with(['?', '#']));
    let query = of_list.and_then(|rest| rest.split('#').next()).map(|rest| rest.trim_start_matches('?'));
    let Some(query) = query else {
        return Err(Fault::Bad("A view is saved from its list.".into()));
    };
    let query = ListQuery::whole(query).text();
    let (business_id, user_id) = (page.member.business_id, page.member.user_id);
    let known = store::of_list(&mut page.read().await?, business_id, user_id, list).await?;
    if known.iter().filter(|view| view.user_id == user_id && view.name != name).count() >= MOST {
        return page.go(&back, Flash::bad(format!("You have {MOST} views of this list. Remove one first."))).await;
    }
    let shared = form.checked("shared");
    let new = NewView { business_id, user_id, list, name: name.clone(), query: query.clone(), shared };
    page.app.db.write(vec![], new, store::save).await?;
    let said =
        if shared { format!("Everybody sees the view “{name}” now.") } else { format!("Saved as “{name}”.") };
    page.go(&page.at(&format!("/{list}?{query}")), Flash::good(said)).await
}

async fn remove(page: Page, Path(id): Path<i64>, form: Form) -> PageResult {
    // A shared view is everybody's, so that those who manage the team may remove it as well.
    let any = page.member.may(Right::Team);
    let view = (page.member.business_id, page.member.user_id, id, any);
    let removed = page.app.db.write(vec![], view, store::remove).await?;
    let (list, name) = removed.ok_or(Fault::NotFound)?;
    page.go(form.back(&format!("/{list}")), Flash::good(format!("The view “{name}” was removed."))).await
}
