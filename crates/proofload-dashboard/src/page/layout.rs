//! What all pages have in common.

use maud::{DOCTYPE, Markup, html};

/// A document. Everything in it comes from this server; nothing is inline.
pub(super) fn document(title: &str, instance: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="instance" content=(instance);
                title { (title) }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/report.css";
                link rel="stylesheet" href="/assets/live.css";
                // The report's first: it sorts tables, which ours asks for when it has drawn them again.
                script src="/assets/report.js" defer {}
                script src="/assets/live.js" defer {}
            }
            (body)
        }
    }
}

/// A page that is not the live one: a heading, a way back, and what it is about.
pub(super) fn simple(title: &str, instance: &str, main: &Markup) -> Markup {
    let body = html! {
        body.simple {
            a.skip href="#main" { "Skip to the content" }
            header.bar {
                a.brand href="/" { (mark()) "Proofload" }
                nav aria-label="Pages" { a href="/" { "Live" } a href="/runs" { "Past runs" } }
            }
            main #main { (main) }
        }
    };
    document(&format!("{title} – Proofload"), instance, &body)
}

/// The sign of Proofload: a weight on a beam.
pub(super) fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            path d="M9 3h6l1.6 8H7.4z" {}
            path.beam d="M2 14c5 3.6 15 3.6 20 0" {}
            path d="M3.2 17.2 1.5 21h5zM20.8 17.2 22.5 21h-5z" {}
        }
    }
}

/// Asks for the token; `wrong` says what is wrong with the last one.
pub(crate) fn login(wrong: &str) -> Markup {
    let main = html! {
        section.card.narrow {
            h1 { "This page needs its token" }
            p { "It is the one that was given with " code { "--web-token" } " or " code { "PROOFLOAD_WEB_TOKEN" }
                " where Proofload was started." }
            form #login {
                label for="token" { "Token" }
                input #token type="password" autocomplete="current-password" required maxlength="512";
                button.primary type="submit" { "Open the page" }
                p.wrong role="alert" { (wrong) }
            }
            noscript { p { "Without script, add " code { "?token=…" } " to the address." } }
        }
    };
    let body = html! {
        body.simple {
            header.bar { span.brand { (mark()) "Proofload" } }
            main #main { (main) }
        }
    };
    document("Token – Proofload", "", &body)
}

/// For addresses that lead nowhere.
pub(crate) fn nothing_there(instance: &str) -> Markup {
    let main = html! {
        section.card.narrow {
            h1 { "There is nothing here" }
            p { a href="/" { "To the live page" } }
        }
    };
    simple("Not found", instance, &main)
}
