//! Plans whose phases name kinds of users that are not in the plan.

use proofload_core::plan::{Inputs, OtherKind, Overrides, Plan, Secrets};

/// Kinds of users that are not in the plan are numbered behind its own, and phases may name them.
#[test]
fn phases_know_kinds_that_are_not_in_the_plan() {
    let other = |name: &str, weight| OtherKind { name: name.into(), weight, count: None };
    let read = |text: &str, kinds: &[OtherKind]| {
        let inputs = Inputs { kinds, ..Inputs::NONE };
        Plan::parse("plan.toml", text, &Overrides::default(), &inputs)
    };
    let mix = |plan: &Plan| -> Vec<_> {
        plan.phases[0].kinds.iter().map(|entry| (entry.kind, entry.weight)).collect()
    };
    let head = "target = \"http://h\"\nhttp = { headers = { a = \"1\", b = \"{{ user.id }}\" } }\n";
    let phase = "[[phase]]\nusers = 1\nduration = \"1s\"\n";
    let user = "[[user]]\nname = \"own\"\nweight = 5\n[[user.task]]\nget = \"/\"\n";
    let kinds = [other("buyer", 2), other("seller", 1)];

    let plan = read(&format!("{head}{phase}"), &kinds).unwrap();
    assert_eq!(mix(&plan), [(0, 2), (1, 1)]);
    let headers: Vec<_> = plan.headers.iter().map(|header| &*header.name).collect();
    assert_eq!(headers, ["a"]);
    let plan = read(&format!("{head}{user}{phase}"), &kinds).unwrap();
    assert_eq!(mix(&plan), [(0, 5), (1, 2), (2, 1)]);
    let mixed = "mix = { seller = 3, own = 1 }\n";
    let plan = read(&format!("{head}{user}{phase}{mixed}"), &kinds).unwrap();
    assert_eq!(mix(&plan), [(2, 3), (0, 1)]);
    for text in [&format!("{head}{phase}"), &format!("{head}{user}{phase}{mixed}")] {
        let plan = read(text, &kinds).unwrap();
        assert_eq!(read(&plan.to_toml(Secrets::Show), &kinds).unwrap(), plan);
    }

    let wrong = read(&format!("{head}{phase}mix = [\"byer\"]\n"), &kinds).unwrap_err().to_string();
    assert!(wrong.contains("did you mean `buyer`?"), "{wrong}");
    let idle = read(&format!("{head}{phase}"), &[other("buyer", 0)]).unwrap_err().to_string();
    assert!(idle.contains("none would ever run"), "{idle}");
    let nobody = read(&format!("{head}{phase}"), &[]).unwrap_err().to_string();
    assert!(nobody.contains("the plan has no users"), "{nobody}");
}
