//! The report in a real browser.

use std::sync::LazyLock;

use proofload_core::result::RunResult;
use proofload_core::verdict::ExitCode;
use proofload_report::html::{HtmlOptions, page};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::courses;

static RESULTS: LazyLock<Vec<(&'static str, RunResult)>> = LazyLock::new(courses::all);

fn result(name: &str) -> &'static RunResult {
    RESULTS.iter().find(|(known, _)| *known == name).map(|(_, result)| result).unwrap()
}

fn page_of(name: &str) -> String {
    page(result(name), &HtmlOptions::new(ExitCode::Passed))
}

#[test]
fn every_page_is_sound() {
    let mut browser = Browser::start();
    for (name, result) in RESULTS.iter() {
        let options = HtmlOptions { embed_result: true, ..HtmlOptions::new(ExitCode::Poor) };
        browser.show(&page(result, &options), 1280, 900);
        assert_eq!(browser.complaints(), Vec::<String>::new(), "{name}");
        // Nothing that was foreign text has become an element.
        let scripts =
            "document.scripts.length + 10 * document.querySelectorAll('img,iframe,b > b').length";
        assert_eq!(browser.eval(scripts), json!(2), "{name}");
        let twice = "(() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id); \
            return ids.filter((id, at) => ids.indexOf(id) !== at); })()";
        assert_eq!(browser.eval(twice), json!([]), "{name}");
        let unscoped = "document.querySelectorAll('th:not([scope])').length";
        assert_eq!(browser.eval(unscoped), json!(0), "{name}");
        // No level of headings is left out on the way down.
        let jumps = "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))\
            .filter((level, at, all) => level > (all[at - 1] ?? 0) + 1).length";
        assert_eq!(browser.eval(jumps), json!(0), "{name}");
        for width in [360, 390, 768, 1280] {
            browser.resize(width, 800);
            let overflow =
                "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.eval(overflow), json!(0), "{name} at {width}");
        }
        let embedded = browser.eval("document.querySelector('#result').textContent");
        let read = RunResult::from_json(embedded.as_str().unwrap()).unwrap();
        assert_eq!(&read, result, "{name}");
    }
}

#[test]
fn charts_have_names_and_words() {
    let mut browser = Browser::start();
    browser.show(&page_of("typical"), 1280, 900);
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes: Vec<&Value> = tree["nodes"].as_array().unwrap().iter().collect();
    let with_role = |roles: &[&str]| -> Vec<&Value> {
        let is = |node: &&&Value| roles.iter().any(|role| node["role"]["value"] == *role);
        nodes.iter().filter(is).copied().collect()
    };
    let images = with_role(&["image", "img", "graphics-document"]);
    let named = |node: &&Value| node["name"]["value"].as_str().is_some_and(|name| !name.is_empty());
    assert!(images.len() > 15, "{}", images.len());
    assert!(images.iter().all(named), "{images:#?}");
    let charts = browser.eval("document.querySelectorAll('svg.chart').length");
    let described = images
        .iter()
        .filter(|node| node["description"]["value"].as_str().is_some_and(|d| !d.is_empty()));
    // All charts but the strip of phases, which is a table further up.
    assert_eq!(json!(described.count() + 1), charts);
    let figures = with_role(&["figure"]);
    assert!(figures.len() > 10 && figures.iter().all(named), "{figures:#?}");
    for role in ["banner", "main", "contentinfo"] {
        assert_eq!(with_role(&[role]).len(), 1, "{role}");
    }
    let tables = browser.eval("document.querySelectorAll('figure').length - document.querySelectorAll('figure table').length");
    assert_eq!(tables, json!(0));
}

/// The smallest contrast of any text with what is behind it, by the formula of WCAG 2.1 (relative luminance), with
/// the text. Backgrounds with some transparency are those of badges' boxes only; they are taken as they are.
const CONTRAST: &str = r"(() => {
  const parse = (text) => { const n = text.match(/[\d.]+/g).map(Number); return { rgb: n.slice(0, 3), alpha: n[3] ?? 1 }; };
  const light = (rgb) => { const c = rgb.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]; };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) { const colour = parse(getComputedStyle(at).backgroundColor); if (colour.alpha > 0.5) return colour.rgb; }
    return [255, 255, 255];
  };
  let worst = [99, ''];
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('script,.vh,[hidden],.strip') || !element.checkVisibility()) continue;
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join('');
    if (!text) continue;
    const style = getComputedStyle(element);
    const ink = parse(element instanceof SVGElement ? style.fill : style.color).rgb, page = behind(element);
    const [a, b] = [light(ink), light(page)].sort((x, y) => y - x), contrast = (a + 0.05) / (b + 0.05);
    if (contrast < worst[0]) worst = [contrast, text.slice(0, 60) + ' ' + ink + ' on ' + page];
  }
  return worst;
})()";

#[test]
fn colours_follow_the_reader() {
    let mut browser = Browser::start();
    let background = "getComputedStyle(document.body).backgroundColor";
    for name in ["typical", "suspect", "twelve"] {
        for scheme in ["light", "dark"] {
            browser.emulate(scheme, "screen");
            browser.show(&page_of(name), 1280, 900);
            let worst = browser.eval(CONTRAST);
            assert!(worst[0].as_f64().unwrap() >= 4.5, "{name} {scheme}: {worst}");
        }
    }
    let dark = browser.eval(background);
    assert_eq!(dark, json!("rgb(16, 21, 28)"));
    // Chosen by hand goes before what the system wants, and stays chosen.
    browser.eval("document.querySelector('#theme').click()");
    let light = browser.eval(background);
    assert_eq!(light, json!("rgb(255, 255, 255)"));
    assert_eq!(browser.eval("document.querySelector('#theme').textContent"), json!("Dark"));
    browser.eval("document.querySelector('#theme').click()");
    assert_eq!(browser.eval(background), dark);
    // Paper is white.
    browser.emulate("dark", "print");
    assert_eq!(browser.eval(background), light);
}

#[test]
fn without_script_everything_is_there() {
    let mut browser = Browser::start();
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.show(&page_of("typical"), 1280, 900);
    assert_eq!(browser.eval("document.documentElement.classList.contains('has-js')"), json!(false));
    let drawn = "[...document.querySelectorAll('svg.chart .plot path.line')]\
        .filter((path) => path.getBoundingClientRect().width > 100).length";
    assert!(browser.eval(drawn).as_u64().unwrap() > 12);
    let shown = "[...document.querySelectorAll('.js')].filter((e) => e.checkVisibility()).length";
    assert_eq!(browser.eval(shown), json!(0));
    let tip = "document.querySelectorAll('.tip').length";
    assert_eq!(browser.eval(tip), json!(0));
}

#[test]
fn paper_cuts_nothing_off() {
    let mut browser = Browser::start();
    browser.emulate("light", "print");
    for name in ["typical", "compared", "all_failed"] {
        // A4 upright between usual margins.
        browser.show(&page_of(name), 720, 1000);
        let cut = "[...document.querySelectorAll('.scroll')].filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)\
            .map((box) => box.ariaLabel + ' ' + (box.scrollWidth - box.clientWidth))";
        assert_eq!(browser.eval(cut), json!([]), "{name}");
        let tools = "document.querySelector('.tools').checkVisibility()";
        assert_eq!(browser.eval(tools), json!(false));
    }
}

#[test]
fn tables_sort() {
    let mut browser = Browser::start();
    browser.show(&page_of("twelve"), 1280, 900);
    let click = |browser: &mut Browser, heading: &str| {
        browser.eval(&format!(
            "[...document.querySelectorAll('#phases th button')].find((b) => b.textContent === '{heading}').click()"
        ));
        browser.eval("[...document.querySelectorAll('#phases tbody th')].map((th) => parseInt(th.textContent))")
    };
    let up: Vec<u32> = (1..=12).map(|step| step * 25).collect();
    let down: Vec<u32> = up.iter().rev().copied().collect();
    // Numbers begin with the largest, names with the first; "25 users" comes before "100 users".
    assert_eq!(click(&mut browser, "Requests"), json!(down));
    assert_eq!(click(&mut browser, "Requests"), json!(up));
    assert_eq!(click(&mut browser, "p50"), json!(down));
    assert_eq!(click(&mut browser, "Phase"), json!(up));
    let sorted = "document.querySelector('#phases th[aria-sort]').textContent + ' ' + \
        document.querySelector('#phases th[aria-sort]').ariaSort";
    assert_eq!(browser.eval(sorted), json!("Phase ascending"));
}

#[test]
fn a_pointer_and_keys_read_values_off_all_charts() {
    let mut browser = Browser::start();
    browser.show(&page_of("typical"), 1280, 900);
    let place = "(() => { const chart = document.querySelector('#latency-svg'); chart.scrollIntoView({ behavior: 'instant', block: 'center' }); \
        const box = chart.querySelector('.hit').getBoundingClientRect(); return [box.left + box.width * 0.503, box.top + 20]; })()";
    let at = browser.eval(place);
    let moved = json!({"type": "mouseMoved", "x": at[0], "y": at[1]});
    browser.call("Input.dispatchMouseEvent", moved);
    let tip = browser.eval("document.querySelector('.tip').innerText.split(/\\s+/)");
    let words: Vec<&str> = tip.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(words[0], "1:30");
    for series in ["max", "p99", "p95", "p50"] {
        assert!(words.contains(&series), "{words:?}");
    }
    let same = "(() => { const at = [...document.querySelectorAll('.cross')].map((line) => Math.round(line.getAttribute('x1').slice(0, -1))); \
        return [at.length > 8, new Set(at).size]; })()";
    assert_eq!(browser.eval(same), json!([true, 1]));
    browser.call("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": 2, "y": 2}));
    assert_eq!(browser.eval("document.querySelector('.tip').hidden"), json!(true));
    assert_eq!(browser.eval("document.querySelectorAll('.cross').length"), json!(0));

    browser.eval("document.querySelector('#users-svg').focus({ focusVisible: true })");
    for key in ["Home", "ArrowRight", "ArrowRight"] {
        browser.call("Input.dispatchKeyEvent", json!({"type": "keyDown", "key": key}));
    }
    let read = browser.eval("document.querySelector('.tip').innerText.split('\\n')[0]");
    assert_eq!(read, json!("0:02"));
    browser.call("Input.dispatchKeyEvent", json!({"type": "keyDown", "key": "Escape"}));
    assert_eq!(browser.eval("document.querySelector('.tip').hidden"), json!(true));
}

#[test]
fn one_phase_can_be_chosen() {
    let mut browser = Browser::start();
    browser.show(&page_of("typical"), 1280, 900);
    let choose = |browser: &mut Browser, phase: &str| {
        browser.eval(&format!(
            "(() => {{ const filter = document.querySelector('#phase-filter'); filter.value = '{phase}'; \
             filter.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()"
        ));
        let visible = "[...document.querySelectorAll('#phases tbody tr')].filter((row) => row.checkVisibility()).length * 100 \
            + [...document.querySelectorAll('#distribution figure')].filter((f) => f.checkVisibility()).length * 10 \
            + [...document.querySelectorAll('#requests .all-phases, #requests details[open]')].filter((e) => e.checkVisibility()).length";
        browser.eval(visible)
    };
    assert_eq!(choose(&mut browser, "1"), json!(111));
    assert_eq!(choose(&mut browser, ""), json!(431));
}

#[test]
fn the_policy_stops_what_is_not_ours() {
    let mut browser = Browser::start();
    browser.show(&page_of("one_phase"), 1280, 900);
    let attack = "(async () => { const script = document.createElement('script'); script.textContent = 'window.owned = 1'; \
        document.body.append(script); const image = new Image(); image.src = 'http://127.0.0.1:9/x.png'; document.body.append(image); \
        const fetched = await fetch('http://127.0.0.1:9/').then(() => true, () => false); return [window.owned ?? 0, fetched]; })()";
    assert_eq!(browser.eval(attack), json!([0, false]));
    let complaints = browser.complaints();
    assert!(
        complaints.iter().any(|text| text.contains("Content Security Policy")),
        "{complaints:?}"
    );
}
