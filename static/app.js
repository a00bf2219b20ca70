// Comfort only: every page works without it. Listeners sit on the document, so new rows need no wiring.
(() => {
	const doc = document;
	const $ = (selector, root = doc) => root.querySelector(selector);
	const all = (selector, root = doc) => [...root.querySelectorAll(selector)];
	const id = (name, root = doc) => root.getElementById(name);
	const on = (node, name, what) => node.addEventListener(name, what);
	const make = (tag, props, ...children) => {
		const node = Object.assign(doc.createElement(tag), props);
		node.append(...children);
		return node;
	};
	const attrs = (node, values) => { for (const name in values) node.setAttribute(name, values[name]); };
	const ended = new Error('signed out');
	const page = async (url, options) => {
		const answer = await fetch(url, { ...options, headers: { 'X-Requested-With': 'fetch' } });
		if (answer.status === 401) throw ended;
		if (!answer.ok) throw new Error(answer.status);
		return new DOMParser().parseFromString(await answer.text(), 'text/html');
	};

	// A message is only spoken when it is put into a region that was already there.
	const spoken = make('div', { className: 'hide', role: 'status' });
	doc.body.append(spoken);
	const say = (words) => { spoken.textContent = ''; setTimeout(() => { spoken.textContent = words; }, 50); };

	// The session ended: the page stays as it is, and says so.
	const signIn = () => {
		const back = encodeURIComponent(location.pathname + location.search);
		const link = make('a', { href: `/sign-in?back=${back}`, textContent: 'Sign in again' });
		const words = make('p', {}, 'You were signed out, so nothing was done. ', link);
		id('flashes').replaceChildren(make('div', { className: 'flash is-warning', role: 'alert' }, words));
	};

	// The clipboard needs https; on a plain-http network the old way still works.
	const copy = async (button) => {
		// In the documentation it is the program that is seen.
		const text = button.dataset.copy || all('pre', button.closest('.docs-panel')).find((pre) => pre.offsetParent).textContent;
		try { await navigator.clipboard.writeText(text); } catch {
			const area = make('textarea', { value: text, className: 'hide' });
			button.after(area);
			area.select();
			const done = doc.execCommand('copy');
			area.remove();
			button.focus();
			if (!done) return say('Not copied: select the text and copy it');
		}
		say('Copied');
		const use = $('use', button);
		const icon = (name) => use?.setAttribute('href', name);
		icon('#i-check');
		setTimeout(icon, 1600, '#i-copy');
	};

	// The phone's own sheet of ways to send.
	if (navigator.share) all('[data-share]').forEach((button) => { button.hidden = false; });

	// Typing in a field with a list replaces what is there: the list offers only what matches.
	on(doc, 'focusin', ({ target }) => { if (target.matches('input[list]')) target.select(); });

	// Currency and zone follow the country until they are chosen by hand; at set-up, all follow the browser.
	const country = $('[data-propose]');
	if (country) {
		const [currency, zone] = [id('f-currency'), id('f-timezone')];
		const place = (is) => all('option', country.list).find(is);
		const byHand = new Set();
		const propose = ({ currency: money, zone: where }) => {
			if (!byHand.has(currency)) currency.value = money;
			if (!byHand.has(zone)) zone.value = where;
		};
		const typed = () => country.value.trim().toLowerCase();
		on(doc, 'change', ({ target, isTrusted }) => {
			if (target !== country) return isTrusted && byHand.add(target);
			const found = place((one) => [one.value, one.textContent].some((name) => name.toLowerCase() === typed()));
			if (found) propose(found.dataset);
		});
		if (country.dataset.propose === 'browser' && !currency.value && !$('.errors')) {
			const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
			const found = place(({ dataset }) => dataset.zone === here || dataset.was === here);
			if (found) country.value = found.value;
			propose((found ?? place((one) => one.value === country.value)).dataset);
			if (all('option', zone).some((one) => one.value === here)) zone.value = here;
		}
	}

	// The reading of a date no longer holds once it is typed over.
	on(doc, 'input', ({ target }) => { const field = target.closest('.field'); if (field) $('.understood', field)?.remove(); });

	// The language of examples is chosen once.
	const languages = all('[data-language]');
	if (languages.length) {
		const chosen = languages.find((one) => one.value === localStorage.getItem('language'));
		if (chosen) chosen.checked = true;
		languages.forEach((one) => on(one, 'change', () => localStorage.setItem('language', one.value)));
	}

	// The menu of the documentation marks what is being read, and opens the part it is in.
	const places = all('.docs-nav li a').map((link) => [link, id(link.hash.slice(1))]).filter(([, place]) => place);
	if (places.length) {
		let here, opened, waits;
		const mark = () => {
			waits = false;
			const top = innerHeight / 4;
			const now = (places.findLast(([, place]) => place.getBoundingClientRect().top < top) || places[0])[0];
			if (now === here) return;
			here?.removeAttribute('aria-current');
			now.setAttribute('aria-current', 'location');
			here = now;
			const part = now.closest('details');
			if (part !== opened) {
				if (opened) opened.open = false;
				opened = part?.open ? undefined : part;
				if (opened) opened.open = true;
			}
			const menu = id('menu'), box = now.getBoundingClientRect(), room = menu.getBoundingClientRect();
			if (box.top < room.top || box.bottom > room.bottom) menu.scrollTop += box.top - room.top - room.height / 3;
		};
		const soon = () => { if (!waits) { waits = true; requestAnimationFrame(mark); } };
		addEventListener('scroll', soon, { passive: true });
		addEventListener('resize', soon);
		mark();
	}

	// Bulk: the bar appears with the first box, and its count is what will really be posted.
	let last;
	const boxes = () => all('[data-check]');
	const count = () => {
		const bar = $('[data-bulk]');
		if (!bar) return;
		const rows = boxes();
		const chosen = rows.filter((box) => box.checked).length;
		const every = $('[data-check-matching]', bar) ?? {};
		if (!chosen) every.checked = false;
		Object.assign($('[data-check-all]') ?? {}, { hidden: false, checked: chosen && chosen === rows.length, indeterminate: chosen && chosen < rows.length });
		bar.classList.add('floats');
		bar.hidden = !chosen;
		$('[data-bulk-count]', bar).textContent = `${every.checked ? every.dataset.count : chosen} selected`;
	};

	// Swap: post, then take the row, the messages and the counters out of the page that is answered.
	const exchange = (fresh, name) => {
		const next = id(name, fresh);
		if (next) id(name)?.replaceWith(next);
		return next;
	};
	// A row that no longer belongs to the list stays until the pointer has left, so that no other slides under it.
	const leave = (row) => {
		const list = row.closest('table');
		if (!list?.matches(':hover')) return row.remove();
		row.inert = true;
		row.classList.add('gone');
		list.addEventListener('pointerleave', () => row.remove(), { once: true });
	};
	const swap = async (form, button) => {
		const name = form.dataset.swap;
		const nth = all('button', id(name)).indexOf(button);
		button.setAttribute('aria-disabled', 'true');
		try {
			const fresh = await page(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form, button)) });
			const said = [...id('flashes', fresh).childNodes];
			const row = exchange(fresh, name);
			if (row) (all('button', row)[nth] ?? $('a', row))?.focus();
			else { leave(id(name)); $('#main').focus(); }
			id('flashes').replaceChildren(...said);
			id('flashes').classList.add('in-place');
			all('[data-refresh]').forEach((part) => exchange(fresh, part.id));
			count();
		} catch (why) {
			button.removeAttribute('aria-disabled');
			if (why === ended) return signIn();
			delete form.dataset.swap;
			form.requestSubmit(button);
		}
	};

	const open = (title, ...body) => {
		const dialog = make('dialog', { ariaLabel: title, onclose: () => dialog.remove() }, make('h2', { textContent: title }), ...body);
		doc.body.append(dialog);
		dialog.showModal();
	};
	// A confirming page, shown where its link is.
	const confirmed = async (link) => {
		try {
			const body = $('[data-dialog-body]', await page(link.href));
			const title = $('h1', body);
			title.remove();
			open(title.textContent, body);
		} catch { location.href = link.href; }
	};

	const stored = (value) => { try { if (value) localStorage.keys = value; return localStorage.keys; } catch { return null; } };
	const help = () => {
		const rows = [['/', 'Search everything'], ['j k', 'Next or previous row'], ['x', 'Select the row'], ['n', 'Main action of the page'], ['?', 'This list'],
			...all('.side [data-go]').map((link) => [`g ${link.dataset.go}`, $('span', link).textContent])];
		const list = make('dl', { className: 'keys', innerHTML: rows.map(([keys, words]) => `<dt>${keys.replace(/\S+/g, '<kbd>$&</kbd>')}</dt><dd>${words}</dd>`).join('') });
		const box = make('input', { type: 'checkbox', checked: stored() !== 'off', onchange: () => stored(box.checked ? 'on' : 'off') });
		open('Keyboard shortcuts', list, make('label', { className: 'choice' }, box, 'Use single-key shortcuts'), make('form', { method: 'dialog', className: 'submit', innerHTML: '<button class="button">Close</button>' }));
	};

	// The first steps hear of a text that was copied or sent.
	const told = (form) => fetch(form.action, { method: 'POST', keepalive: true, headers: { 'X-Requested-With': 'fetch' }, body: new URLSearchParams(new FormData(form)) }).catch(() => {});

	const plain = (event) => !event.metaKey && !event.ctrlKey && !event.altKey;
	on(doc, 'click', (event) => {
		const at = (selector) => event.target.closest(selector);
		let found;
		if ((found = at('[data-copy]'))) copy(found);
		else if ((found = at('[data-share]'))) navigator.share({ text: found.dataset.share }).catch(() => {});
		else if ((found = at('[data-find]')) && plain(event)) { event.preventDefault(); palette(); }
		else if (at('[data-help]')) help();
		else if (at('[data-print]')) print();
		else if ((found = at('[data-open]'))) id(found.dataset.open).showModal();
		else if ((found = at('dialog [data-dialog-close]'))) { event.preventDefault(); found.closest('dialog').close(); }
		else if ((found = at('a[data-dialog]')) && plain(event)) { event.preventDefault(); confirmed(found); }
		else if ((found = at('[data-check]'))) {
			const rows = boxes();
			const [from, to] = [rows.indexOf(last), rows.indexOf(found)].sort((a, b) => a - b);
			if (event.shiftKey && from >= 0) rows.slice(from, to + 1).forEach((box) => { box.checked = found.checked; });
			last = found;
			count();
		}
		if (at('[data-told]') && id('told')) told(id('told'));
		all('.me[open], .why[open]').forEach((menu) => { menu.open = menu.contains(event.target); });
	});

	on(doc, 'change', ({ target }) => {
		if (target.matches('[data-autosubmit]')) target.form.requestSubmit();
		if (target.matches('[data-check-all]')) boxes().forEach((box) => { box.checked = target.checked; });
		if (target.matches('[data-check-all], [data-check-matching]')) count();
	});

	// A form is sent once: its buttons wait until the page is left, and are back when the page comes back.
	const wait = (form, now) => [...form.elements].filter((one) => one.type === 'submit').forEach((button) => {
		button.disabled = now;
		button.setAttribute('aria-busy', now);
	});
	on(doc, 'submit', (event) => {
		const { target, submitter } = event;
		if (submitter && id(target.dataset.swap)) {
			event.preventDefault();
			if (!submitter.hasAttribute('aria-disabled')) swap(target, submitter);
		} else if (target.getAttribute('method') === 'post') {
			if (target.dataset.sent) return event.preventDefault();
			target.dataset.sent = 'yes';
			// A button that is disabled at once would not be sent with its form.
			setTimeout(wait, 0, target, true);
		}
	});
	on(window, 'pageshow', () => all('form[data-sent]').forEach((form) => { delete form.dataset.sent; wait(form, false); }));

	// Keys: never while somebody types, and the help can turn them off.
	let going = 0;
	on(doc, 'keydown', (event) => {
		const { key, target } = event;
		if (key === 'Escape') {
			all('.me[open], .why[open]').forEach((menu) => { menu.open = false; $('summary', menu).focus(); });
			if (location.hash === '#menu') location.hash = 'main';
		}
		if (key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey && $('[data-find]')) {
			event.preventDefault();
			return palette();
		}
		if (!plain(event) || stored() === 'off' || target.closest('input:not([type=checkbox]), textarea, select, dialog')) return;
		const go = event.timeStamp < going && all('.side [data-go]').find((link) => link.dataset.go === key);
		going = key === 'g' ? event.timeStamp + 1500 : 0;
		const row = target.closest('tbody tr');
		const rows = all('.list tbody tr');
		const focus = (node) => (node?.focus(), node);
		if (go) go.click();
		else if (key === '?') help();
		else if (key === '/') palette();
		else if (key === 'n') $('.head .primary, .empty .primary')?.click();
		else if (key === 'x') row && $('[data-check]', row)?.click();
		else if (key === 'j' || key === 'k') focus($('a', rows[row ? rows.indexOf(row) + (key === 'j' ? 1 : -1) : 0] ?? doc.createElement('i')));
		else return;
		event.preventDefault();
	});

	// Live look-up: the list below the field follows what is typed; arrows choose, Enter opens.
	const lookup = (field, region) => {
		const name = region.id;
		let timer, running, chosen;
		const options = () => all('li a', region);
		const mark = (to) => {
			chosen = to;
			options().forEach((link, i) => link.setAttribute('aria-selected', i === to));
			options()[to]?.scrollIntoView({ block: 'nearest' });
			attrs(field, { 'aria-activedescendant': to < 0 ? '' : `${name}-${to}` });
		};
		// Roles belong to the script: without it the list is a plain list of links.
		const dress = () => {
			all('ul', region).forEach((list, i) => attrs(list, { role: 'listbox', 'aria-label': list.previousElementSibling?.textContent || 'Found' }));
			all('li', region).forEach((item) => attrs(item, { role: 'none' }));
			options().forEach((link, i) => attrs(link, { role: 'option', id: `${name}-${i}`, tabindex: -1 }));
			attrs(field, { role: 'combobox', 'aria-controls': name, 'aria-expanded': options().length > 0 });
			mark(-1);
		};
		const look = async () => {
			running?.abort();
			running = new AbortController();
			try {
				const fresh = await page(`${field.dataset.lookup}?q=${encodeURIComponent(field.value.trim())}`, { signal: running.signal });
				region.replaceChildren(...fresh.body.childNodes);
				dress();
				say(`${options().length} found`);
			} catch (why) { if (why === ended) signIn(); /* Otherwise Enter still searches as a form. */ }
		};
		on(field, 'input', () => { clearTimeout(timer); timer = setTimeout(look, 200); });
		on(field, 'keydown', (event) => {
			const found = options().length;
			const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
			if (step && found) mark(chosen < 0 && step < 0 ? found - 1 : (chosen + step + found) % found);
			else if (event.key === 'Enter' && chosen >= 0) options()[chosen].click();
			else return;
			event.preventDefault();
		});
		region.removeAttribute('aria-live');
		dress();
		return look;
	};
	all('[data-lookup]').forEach((field) => lookup(field, id('people')));

	// The search over everything, above the page where somebody is.
	const palette = () => {
		if (id('found')) return;
		const field = make('input', { type: 'search', name: 'q', autocomplete: 'off' });
		attrs(field, { 'aria-label': 'Search everything', 'data-lookup': '/find/hits', placeholder: 'Name, code, number, id or page' });
		const region = make('div', { id: 'found', className: 'people found' });
		const button = make('button', { className: 'button primary', name: 'open', value: 'yes', textContent: 'Find' });
		open('Search everything', make('form', { action: '/find', className: 'lookup-line' }, field, button), region);
		region.closest('dialog').classList.add('palette');
		lookup(field, region)();
		field.focus();
	};

	// Progress: ask until the server offers no address to ask any more, then show the finished page.
	const poll = (node) => setTimeout(async () => {
		try {
			const next = exchange(await page(node.dataset.pollUrl), node.id);
			if (next?.dataset.pollUrl) poll(next);
			else location.reload();
		} catch (why) { if (why === ended) signIn(); else poll(node); }
	}, 1500);
	all('[data-poll-url]').forEach(poll);

	// The way back to a list keeps its filters and its page.
	if (doc.referrer.startsWith(`${location.origin}/`)) {
		const from = new URL(doc.referrer);
		all('.crumbs a').filter((link) => link.pathname === from.pathname).forEach((link) => { link.href = from; });
	}

	// The first words of a field are the beginning of a longer text.
	const begun = $('[autofocus]');
	if (begun?.matches('[type=text], [type=search]')) begun.setSelectionRange(begun.value.length, begun.value.length);
	$('[data-focus]')?.focus();
	count();
})();
