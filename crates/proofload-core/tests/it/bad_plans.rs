//! Wrong plans: what people are told.

use proofload_core::plan::Overrides;

use crate::support::parse_with;

/// A plan around the keys of a task, and around those of a phase.
fn with_task(task: &str) -> String {
    format!(
        "target = \"http://h\"\n\n[[user]]\n\n[[user.task]]\n{task}\n\n[[phase]]\nusers = 1\nduration = \"1s\"\n"
    )
}

fn with_phase(phase: &str) -> String {
    format!(
        "target = \"http://h\"\n\n[[user]]\n\n[[user.task]]\nget = \"/\"\n\n[[phase]]\n{phase}\n"
    )
}

fn with_top(top: &str) -> String {
    format!(
        "{top}\n\n[[user]]\n\n[[user.task]]\nget = \"/\"\n\n[[phase]]\nusers = 1\nduration = \"1s\"\n"
    )
}

/// Every message of a plan, under its number of the table.
fn messages(plans: &[String]) -> String {
    let files = [
        ("empty.csv", "name,email\n"),
        ("twice.csv", "name,name\na,b\n"),
        ("ragged.csv", "a,b\n1\n"),
        ("users.csv", "name,email\nann,a@x\n"),
        ("bad.json", "{\"a\": 1}"),
        ("mixed.json", "[{\"a\": 1}, {\"b\": 2}]"),
        ("a.toml", "include = [\"plan.toml\"]\n"),
        ("users.toml", "[[user]]\nname = \"x\"\n[[user.task]]\ngett = \"/\"\n"),
        ("not.pem", "hello"),
        ("order.json", "{\n  \"id\": {{ nobody }}\n}"),
    ];
    let mut all = String::new();
    for plan in plans {
        let Err(errors) = parse_with(plan, &files, &Overrides::default()) else {
            panic!("this plan should be wrong:\n{plan}")
        };
        all.push_str(&errors.to_string());
        all.push_str("\n\n----\n\n");
    }
    all
}

#[test]
fn of_the_top_level() {
    let plans = [
        String::new(),
        "this is = not = toml\n[[phase\n".to_owned(),
        "target = \"http://h\"\nname = \"x\"\nname = \"y\"\n".to_owned(),
        with_top("target = \"127.0.0.1:8000\""),
        with_top("target = \"ftp://h\""),
        with_top("target = \"http://h:99999\""),
        with_top("target = \"http://u:p@h\""),
        with_top("target = \"http://h/?a=1\""),
        with_top("target = \"http://ho st\""),
        with_top("name = \"no target\""),
        with_top("target = \"${NO_HOST}\"\nname = \"${also-bad key}\""),
        with_top("target = \"http://h:${PORT\""),
        with_top("target = \"http://h\"\nhost = \"x\"\nusers = 5\nthresholdz = 1\nfrobnicate = 2"),
        with_top("target = \"http://h\"\nseed = -1\nhealth = \"health\"\nname = 5"),
        with_top("target = \"http://h\"\ninclude = [\"missing.toml\"]"),
        with_top("target = \"http://h\"\ninclude = [\"a.toml\"]"),
        with_top("target = \"http://h\"\ninclude = [\"users.toml\"]"),
        with_top(
            "target = \"http://h\"\n[http]\ntimeout = \"0s\"\nfollow_redirects = \"yes\"\nversion = \"3\"\ncompression = [\"gzp\"]\nmax_body = \"10XB\"\ncokies = true",
        ),
        with_top(
            "target = \"http://h\"\n[http]\nheaders = { \"bad name\" = \"x\", content-length = 5 }\nbasic = \"nopassword\"\nbearer = \"t\"\nresolve = { h = \"nowhere\" }",
        ),
        with_top(
            "target = \"http://h\"\n[http.tls]\nca = \"not.pem\"\nclient_cert = \"missing.pem\"",
        ),
        with_top(
            "target = \"http://h\"\n[variables]\nrandom = \"x\"\n\"a b\" = \"y\"\nz = \"{{ q }}\"",
        ),
        with_top(
            "target = \"http://h\"\n[thresholds]\nhttp_req_durations = [\"p(95)<500\"]\nhttp_req_failed = [\"rate<\", { threshold = \"rate<0.1\", abort = true }]",
        ),
        with_top("target = \"http://h\"\n[cost]\ncurrency = \"\"\nhit_rate = 80"),
        with_top(
            "target = \"http://h\"\n[cost]\nper_miss = \"$0.06\"\nrequests_per_day = 0\nmonthly_bill = -1\ndays = 400",
        ),
        with_top("target = \"http://h\"\n[cost]\nper_mis = 0.00000000001\nhit_rate = \"80%\""),
        with_top("target = \"http://h\"\n[cost]\nper_miss = 0.00000000001"),
        with_top("target = \"http://h\"\n[grading]\ngood = \"120%\"\nfair = 1"),
        with_top(
            "target = \"http://h\"\n[grading]\nladder = { measure = \"avg\", excellent = \"<9s\", good = \"<5s\", fair = \"<10s\" }",
        ),
        with_top(
            "target = \"http://h\"\n[grading]\nladder = { measure = \"avgg\", good = \"<5s\" }",
        ),
        with_top(
            "target = \"http://h\"\n[grading]\nladder = { measure = \"avg\", good = \"<5%\" }",
        ),
        with_top("target = \"http://h\"\n[grading.ladder]\nexcelent = \"<5s\""),
        with_top(
            "target = \"http://h\"\n[regression]\np95 = \"-20%\"\nerror_rate = \"+20%\"\np59x = \"1%\"\nrps = 5\nrequest = { avg = \"+20\" }\n[goals]\np99 = \"+85%\"",
        ),
    ];
    insta::assert_snapshot!(messages(&plans));
}

#[test]
fn of_data_feeds() {
    let feed = |keys: &str| with_top(&format!("target = \"http://h\"\n[data.users]\n{keys}"));
    let plans = [
        feed("mode = \"random\""),
        feed("file = \"nowhere.csv\""),
        feed("file = \"empty.csv\""),
        feed("file = \"twice.csv\""),
        feed("file = \"ragged.csv\""),
        feed("file = \"bad.json\""),
        feed("file = \"mixed.json\""),
        feed("file = \"users.xls\""),
        feed("file = \"users.csv\"\nmode = \"rand\"\nrows = []"),
        feed("rows = []"),
        feed("rows = [{ a = 1 }, { b = 2 }]"),
        feed("rows = [{}]"),
        with_task("get = \"/{{ data.userz.name }}\""),
        format!(
            "{}\n[data.users]\nfile = \"users.csv\"\n",
            with_task("get = \"/{{ data.users.mail }}/{{ data.users.x }}\"")
        ),
    ];
    insta::assert_snapshot!(messages(&plans));
}

#[test]
fn of_users_and_requests() {
    let plans = [
        "target = \"http://h\"\nuser = 5\n[[phase]]\nusers = 1\nduration = \"1s\"\n".to_owned(),
        "target = \"http://h\"\n[[user]]\nname = \"a\"\n[[user]]\nname = \"a\"\nwait_time = \"1s\"\nweight = -1\n[[phase]]\nusers = 1\nduration = \"1s\"\n".to_owned(),
        "target = \"http://h\"\n[[user]]\nweight = 0\n[[user.task]]\nget = \"/\"\nweight = 0\n[[phase]]\nusers = 1\nduration = \"1s\"\n".to_owned(),
        "target = \"http://h\"\n[[user]]\n[[user.task]]\nname = \"a\"\nget = \"/\"\nextract = { t = \"$.t\" }\n[[user.task]]\nname = \"a\"\nget = \"/{{ t }}\"\n[[phase]]\nusers = 1\nduration = \"1s\"\n".to_owned(),
        with_task("think_time = \"3s..1s\""),
        with_task("get = \"/\"\nthink_time = 5"),
        with_task("get = \"/\"\npost = \"/\""),
        with_task("gett = \"/\"\ntimeout = \"1 week\""),
        with_task("method = \"BAD METHOD\"\nurl = \"/\""),
        with_task("get = \"/\"\nmethod = \"PUT\""),
        with_task("get = \"messages\""),
        with_task("get = \"/a#b\""),
        with_task("get = \"https://h:0/\""),
        with_task("get = \"/{{ tokn }}\"\nextract = { token = \"$.token\" }"),
        with_task("get = \"/{{ random.int(9, 1) }}/{{ random.txt(3) }}/{{ env.NOPE }}\""),
        with_task("get = \"/{{ token\""),
        with_task("post = \"/\"\njson = { a = [1, \"{{ x }}\"], b = nan }"),
        with_task("post = \"/\"\njson = 1\nform = { a = 1 }"),
        with_task("post = \"/\"\nbody_file = \"nope.bin\""),
        with_task("post = \"/\"\nbody_template = \"order.json\""),
        with_task("post = \"/\"\nmultipart = { a = { name = \"x\" } }"),
        with_task("get = \"/\"\ncontent_type = \"text/plain\""),
        with_task("get = \"/\"\nheaders = { authorization = \"x\", a = \"b\\nc\" }\nbearer = \"t\""),
        with_task("get = \"/\"\ntimeout = 0"),
        with_task("get = \"/\"\nextract = { token = \"token\", counter = \"$.a\" }"),
        with_task("get = \"/\"\nextract = { a = \"$.a[\", b = { regex = '(' }, c = { regex = 'x', group = 1 }, d = {} }"),
        with_task("get = \"/\"\ncheck = { status = 999, duration = \"fast\", \"$.a[\" = 1, \"$.b\" = \"> x\" }"),
        with_task("get = \"/\"\ncheck = { json = 1, statu = 200, body = { contain = \"x\" } }"),
        with_task("get = \"/\"\n[[user.task.check]]\nname = \"two\"\nstatus = 200\nduration = \"<1s\""),
        with_task("get = \"/\"\ncache = { equals = true }"),
        with_task("get = \"/\"\nsign = { twilo = \"x\" }"),
        with_task("get = \"/\"\nstep = [{ get = \"/\" }]"),
        with_task("step = [{ pause = \"1s\", get = \"/\" }, {}, { pause = 1 }]"),
    ];
    insta::assert_snapshot!(messages(&plans));
}

#[test]
fn of_phases() {
    let plans = [
        with_phase("name = \"nothing\""),
        with_phase("users = 0\nduration = \"1s\""),
        with_phase("users = -5\nduration = \"1s\""),
        with_phase("users = \"10\"\nduration = 30"),
        with_phase("users = \"10/s\"\nduration = \"30s\""),
        with_phase("users = 10"),
        with_phase("users = 10\nduration = \"0s\""),
        with_phase("users = 10\nrate = \"5/s\"\nduration = \"1s\""),
        with_phase("users = 10\nramp_up = \"1m\"\nramp_down = \"1m\"\nduration = \"90s\""),
        with_phase("users = 10\nspawn_rate = 0\nduration = \"1m\""),
        with_phase("users = 10\nmax_users = 5\nduration = \"1m\""),
        with_phase("rate = 100\nduration = \"1m\""),
        with_phase(
            "rate = \"100/s\"\nspawn_rate = 5\nduration = \"1m\"\narrivals = \"random\"\noverload = \"que\"",
        ),
        with_phase("stages = [{ duration = \"1m\", target = 100 }]"),
        with_phase("stages = [{ users = 100 }]"),
        with_phase("stages = [{ users = 100, over = \"1m\" }, { rate = \"5/s\", over = \"1m\" }]"),
        with_phase("stages = []\nduration = \"1m\""),
        with_phase("stages = [{ users = 0, for = \"1m\" }]"),
        with_phase("shape = \"spke\"\nusers = 5"),
        with_phase("shape = \"spike\"\nramp_up = \"5s\""),
        with_phase("step = { users = 5, every = \"1s\" }\nuntil = { error_rate = \"5%\" }"),
        with_phase("step = { users = 5 }\nmax = 10"),
        with_phase("step = { users = 1, every = \"1s\" }\nmax = 100000"),
        with_phase("step = { levels = [1, \"5/s\"], every = \"1s\" }"),
        with_phase(
            "users = 1\nduration = \"1s\"\nexpect = { p59x = \"<1s\", p95 = \"<300\", success_rate = \">99\" }",
        ),
        with_phase(
            "users = 1\nduration = \"1s\"\nexpect = { p95 = { target = \"<2s\", limit = \"<1s\" }, p99 = { max = \"<1s\" } }",
        ),
        with_phase("users = 1\nduration = \"1s\"\nmix = [\"nobody\", \"usr\"]"),
        with_phase("users = 1\nduration = \"1s\"\nmix = { user = 0 }"),
        with_phase(
            "users = 1\nduration = \"1m\"\nburst = { rate = \"5/s\", every = \"10s\", for = \"5s\" }",
        ),
        with_phase(
            "users = 1\nduration = \"1m\"\nburst = { users = 5, every = \"5s\", for = \"10s\" }",
        ),
        with_phase(
            "users = 1\nduration = \"1m\"\nburst = [{ requests = 5, at = \"2m\" }, { users = 5 }, { at = \"1s\" }]",
        ),
        with_phase(
            "name = \"a\"\nusers = 1\nduration = \"1s\"\n[[phase]]\nname = \"a\"\nvus = 1\nduration = \"1s\"",
        ),
        with_phase("users = 1\nduration = \"1s\"\nabort_on_fail = \"never\"\ngraceful_stop = 5"),
    ];
    insta::assert_snapshot!(messages(&plans));
}
