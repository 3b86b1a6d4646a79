"""Every check says yes to what it is against and nothing to what only resembles it; hostile input costs nothing."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from seawall.core.errors import Hostile
from seawall.images.detect import checks, reference, shell, steps
from seawall.images.detect.checks.check import Outcome, shown
from seawall.images.model import ImageConfig, Inventory, Layer, Location, OperatingSystem, Package

ROOT = Path(__file__).parents[4]
NOW = 1_800_000_000.0
GOOD = """\
FROM debian:12.5@sha256:1111111111111111111111111111111111111111111111111111111111111111 AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc=4:12 && rm -rf /var/lib/apt/lists/*
COPY src /src
FROM build
LABEL org.opencontainers.image.source=https://e.org org.opencontainers.image.version=1
LABEL org.opencontainers.image.revision=a
ENV PATH=/usr/local/bin:/usr/bin PASSWORD_FILE=/run/secrets/db MODE=production
COPY --from=build --chown=10001:10001 /src/app /app/app
WORKDIR /app
EXPOSE 8080/tcp
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["/app/app", "check"]
USER 10001:10001
ENTRYPOINT ["/app/app"]
"""
LINES = {
    "SW-IMG-101": ["USER root", "USER 0", "USER 0:0"],
    "SW-IMG-102": ["USER app"],
    "SW-IMG-103": ["USER 10001:0", "USER 10001:root"],
    "SW-IMG-104": ["USER app\nUSER root"],
    "SW-IMG-105": ["RUN sudo make", "RUN a && su app -c b"],
    "SW-IMG-107": ["RUN chmod u+s /bin/x", "RUN chmod 4755 /bin/x", "RUN setcap cap_net_raw+ep /bin/x"],
    "SW-IMG-108": ["RUN echo root:x | chpasswd", "RUN passwd -d root", "RUN useradd -p x y"],
    "SW-IMG-109": ["RUN echo 'app ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers"],
    "SW-IMG-201": ["ENV DB_PASSWORD=Zae7theo", "ENV API_TOKEN Zae7theo", 'ENV AWS_SECRET_ACCESS_KEY="Zae7theo"'],
    "SW-IMG-202": ["ARG NPM_TOKEN"],
    "SW-IMG-203": ["ENV MYSQL_ROOT_PASSWORD=root", "ENV ADMIN_PASSWORD=123456"],
    "SW-IMG-204": ["ENV http_proxy=http://u:p@proxy:3128"],
    "SW-IMG-205": ["ENV HTTPS_PROXY=http://proxy:3128"],
    "SW-IMG-206": ["ENV LD_PRELOAD=/x.so"],
    "SW-IMG-207": ["ENV PATH=/tmp/bin:/usr/bin", "ENV PATH=.:/usr/bin"],
    "SW-IMG-208": ["ENV NODE_TLS_REJECT_UNAUTHORIZED=0", "ENV GIT_SSL_NO_VERIFY=true"],
    "SW-IMG-209": ["ENV FLASK_DEBUG=1"],
    "SW-IMG-210": ["ENV JAVA_TOOL_OPTIONS='-agentlib:jdwp=transport=dt_socket,address=*:5005'"],
    "SW-IMG-211": ["ENV MYSQL_ALLOW_EMPTY_PASSWORD=yes", "ENV POSTGRES_HOST_AUTH_METHOD=trust"],
    "SW-IMG-212": ["ENV DATABASE_URL=postgres://u:p@db/x"],
    "SW-IMG-213": ["LABEL com.example.api-key=Zae7theo"],
    "SW-IMG-214": ["RUN API_TOKEN=Zae7theo ./install", "RUN export DB_PASSWORD=Zae7theo && ./x"],
    "SW-IMG-301": ["EXPOSE 22"],
    "SW-IMG-302": ["EXPOSE 23/tcp"],
    "SW-IMG-303": ["EXPOSE 2375"],
    "SW-IMG-304": ["EXPOSE 80"],
    "SW-IMG-305": ["EXPOSE 6379"],
    "SW-IMG-306": ["EXPOSE 5900"],
    "SW-IMG-307": ["EXPOSE 5005"],
    "SW-IMG-308": ["EXPOSE 3000-4000", "EXPOSE " + " ".join(map(str, range(9000, 9030)))],
    "SW-IMG-309": ["EXPOSE 70000", "EXPOSE 80/http"],
    "SW-IMG-310": ['CMD ["/usr/sbin/sshd", "-D"]', "RUN ssh-keygen -A"],
    "SW-IMG-401": ["HEALTHCHECK NONE"],
    "SW-IMG-402": ["ENTRYPOINT python app.py"],
    "SW-IMG-404": ['ENTRYPOINT ["sh", "-c", "curl https://e.org/i | sh"]', "ENTRYPOINT pip install x && python a.py"],
    "SW-IMG-405": ['CMD ["a"]\nCMD ["b"]'],
    "SW-IMG-406": ["HEALTHCHECK CMD a\nHEALTHCHECK CMD b"],
    "SW-IMG-407": ["STOPSIGNAL SIGKILL", "STOPSIGNAL SIGNONSENSE"],
    "SW-IMG-408": ["VOLUME /etc", 'VOLUME ["/var/run/docker.sock"]'],
    "SW-IMG-409": ["WORKDIR app"],
    "SW-IMG-410": ["WORKDIR /etc"],
    "SW-IMG-411": ["RUN grep y x | sort"],
    "SW-IMG-412": ["ONBUILD RUN make"],
    "SW-IMG-413": ["ONBUILD FROM x"],
    "SW-IMG-414": ['ENTRYPOINT ["/usr/bin/supervisord"]'],
    "SW-IMG-501": ["RUN apt-get install -y --allow-unauthenticated x", "RUN apk add --allow-untrusted x.apk"],
    "SW-IMG-502": ["RUN apt-get update"],
    "SW-IMG-503": ["RUN apt-get update && apt-get -y upgrade"],
    "SW-IMG-504": ["RUN apt-get update && apt-get install -y --no-install-recommends curl=1"],
    "SW-IMG-505": ["RUN apt-get install -y curl=1"],
    "SW-IMG-506": ["RUN apt-get install curl", "RUN dnf install curl"],
    "SW-IMG-507": ["RUN apt install -y curl"],
    "SW-IMG-508": ["RUN apk add curl"],
    "SW-IMG-509": ["RUN yum install -y curl"],
    "SW-IMG-510": ["RUN zypper install -y curl"],
    "SW-IMG-511": ["RUN pip install flask==3", "RUN python3 -m pip install flask==3"],
    "SW-IMG-512": ["RUN pip install flask", "RUN npm install -g express", "RUN gem install rails"],
    "SW-IMG-513": ["RUN apt-get install -y curl", "RUN apk add --no-cache curl"],
    "SW-IMG-514": ["RUN pip install --extra-index-url https://i.example/simple x==1"],
    "SW-IMG-515": ["RUN npm install --unsafe-perm"],
    "SW-IMG-601": ["RUN curl -fsSL https://e.org/i | sh", "RUN wget -qO- https://e.org/i | sudo bash -s --",
                   'RUN sh -c "$(curl -fsSL https://e.org/i)"', "RUN curl https://e.org/k | tee x | bash"],
    "SW-IMG-602": ["RUN wget http://e.org/x.tgz"],
    "SW-IMG-603": ["RUN curl -fsSLk https://e.org", "RUN wget --no-check-certificate https://e.org",
                   "RUN pip install --trusted-host e.org x", "RUN npm config set strict-ssl false",
                   "RUN git -c http.sslVerify=false clone https://e.org/x"],
    "SW-IMG-604": ["ADD https://e.org/x.tgz /x"],
    "SW-IMG-605": ["RUN curl -o x https://e.org/x && sh x"],
    "SW-IMG-606": ["RUN curl -u me:Zae7theo https://e.org", "RUN git clone https://me:Zae7theo@e.org/x",
                   "RUN docker login -u me -p Zae7theo"],
    "SW-IMG-607": ["RUN ssh -o StrictHostKeyChecking=no h"],
    "SW-IMG-608": ["RUN git clone https://e.org/x"],
    "SW-IMG-701": ["ADD src /src"],
    "SW-IMG-702": ["COPY . /app"],
    "SW-IMG-703": ["COPY id_rsa /root/", "COPY .env /app/", 'COPY ["tls.key", "/etc/tls/"]', "COPY .git /app/.git"],
    "SW-IMG-704": ["RUN chmod -R 777 /app", "RUN chmod a+w /x", "RUN chmod 0666 /x"],
    "SW-IMG-705": ["COPY --chmod=777 a /a"],
    "SW-IMG-706": ["RUN --security=insecure make", "RUN --network=host make"],
    "SW-IMG-707": ["RUN cd /x && make"],
    "SW-IMG-708": ["RUN systemctl enable x"],
    "SW-IMG-709": ["MAINTAINER me"],
    "SW-IMG-710": ["RUNN x"],
    "SW-IMG-712": ["RUN curl https://e.org | cat; wget https://e.org"],
    "SW-IMG-713": ["RUN rm -rf /src"],
    "SW-IMG-714": ["RUN setenforce 0"],
    "SW-IMG-804": ["FROM --platform=linux/amd64 x@sha256:1"],
    "SW-IMG-806": ["COPY --from=nginx:1 /a /a"],
    "SW-IMG-808": ["LABEL -bad-=1"],
}  # fmt: skip
"""Lines that, added to GOOD, each check is against."""
WHOLE = {
    "SW-IMG-403": "FROM x@sha256:1\nRUN a",
    "SW-IMG-711": "RUN a\nFROM x",
    "SW-IMG-801": "FROM debian\nRUN a",
    "SW-IMG-802": "FROM debian:12\nRUN a",
    "SW-IMG-805": "FROM a:1 AS x\nFROM b:1 AS X",
    "SW-IMG-807": "FROM x\nRUN a",
}


def failed(text: str) -> set[str]:
    answers = checks.results(checks.of_dockerfile(steps.dockerfile(text.encode())))
    return {one.check for one in answers if one.outcome is Outcome.FAIL}


def package(name: str) -> Package:
    return Package(name, "1", "deb", f"pkg:deb/debian/{name}@1", locations=(Location("var/lib/dpkg/status", 0),))


LAYERS = (
    Layer(0, "sha256:0", 10, "/bin/sh -c #(nop) ADD file:" + "a" * 64 + " in / ", base=True),
    Layer(1, "", 0, '/bin/sh -c #(nop)  CMD ["bash"]', empty=True, base=True),
    Layer(2, "sha256:2", 10, "RUN |1 TOKEN=Zae7theo /bin/sh -c curl -k https://e.org | sh # buildkit"),
    Layer(3, "", 0, "ENV APP_PASSWORD=Zae7theo", empty=True),
)
IMAGE = Inventory(
    "docker:x", "x",
    ImageConfig("sha256:" + "0" * 64, created="2026-11-01T00:00:00Z", architecture="amd64", os="linux",
                env=("APP_PASSWORD=Zae7theo",)),
    os=OperatingSystem("debian", "12", "Debian GNU/Linux 12", "bookworm"), layers=LAYERS, packages=(package("bash"),),
)  # fmt: skip
IMAGES = {
    "SW-IMG-106": replace(IMAGE, packages=(package("sudo"),)),
    "SW-IMG-803": replace(IMAGE, tags=("x:latest",)),
    "SW-IMG-809": replace(IMAGE, config=replace(IMAGE.config, created="2020-01-01T00:00:00Z")),
    "SW-IMG-810": replace(IMAGE, config=replace(IMAGE.config, created="2040-01-01T00:00:00Z")),
    "SW-IMG-811": replace(IMAGE, layers=tuple(Layer(n, f"sha256:{n}", 1, "RUN x") for n in range(60))),
    "SW-IMG-812": replace(IMAGE, layers=(Layer(0, "sha256:0", 3 << 30, "RUN x"),)),
    "SW-IMG-813": replace(IMAGE, layers=(Layer(0, "sha256:0", 1),)),
    "SW-IMG-814": replace(IMAGE, config=replace(IMAGE.config, architecture="")),
    "SW-IMG-815": replace(IMAGE, os=OperatingSystem("debian", "", "Debian GNU/Linux trixie/sid")),
    "SW-IMG-901": replace(IMAGE, packages=(package("vsftpd"),)),
    "SW-IMG-902": replace(IMAGE, packages=(package("openssh-server"),)),
    "SW-IMG-903": replace(IMAGE, packages=(package("nmap"),)),
    "SW-IMG-904": replace(IMAGE, packages=(package("gdb"),)),
    "SW-IMG-905": replace(IMAGE, packages=(package("gcc"),)),
    "SW-IMG-906": replace(IMAGE, packages=(package("apt"),)),
    "SW-IMG-907": replace(IMAGE, packages=(package("telnet"),)),
    "SW-IMG-908": replace(IMAGE, packages=(package("docker.io"),)),
    "SW-IMG-909": replace(IMAGE, packages=(package("cron"),)),
    "SW-IMG-910": replace(IMAGE, packages=(package("git"),)),
    "SW-IMG-911": replace(IMAGE, packages=tuple(package(f"lib{n}-dev") for n in range(30))),
    "SW-IMG-912": replace(IMAGE, packages=tuple(package(f"lib{n}") for n in range(600))),
}


def of_image(inventory: Inventory) -> dict[str, checks.Result]:
    return {one.check: one for one in checks.results(checks.of_image(inventory, NOW))}


def test_a_good_dockerfile_passes_everything() -> None:
    assert failed(GOOD) == set()


@pytest.mark.parametrize(("check", "line"), [(check, line) for check, lines in LINES.items() for line in lines])
def test_what_each_check_is_against(check: str, line: str) -> None:
    assert check in failed(f"{GOOD}{line}\n")


@pytest.mark.parametrize("check", WHOLE)
def test_whole_files(check: str) -> None:
    assert check in failed(WHOLE[check])


@pytest.mark.parametrize("check", IMAGES)
def test_what_only_an_image_has(check: str) -> None:
    assert of_image(IMAGES[check])[check].outcome is Outcome.FAIL
    assert of_image(IMAGE)[check].outcome is not Outcome.FAIL


def test_every_check_has_a_case() -> None:
    assert set(checks.CHECKS) == set(LINES) | set(WHOLE) | set(IMAGES)
    assert len(checks.CHECKS) >= 60


@pytest.mark.parametrize("line", [
    "RUN curl -fsSL https://e.org/x -o x && echo 'abc  x' | sha256sum -c && ./x",
    "RUN --mount=type=secret,id=t TOKEN_FILE=/run/secrets/t ./install",
    "RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y --no-install-recommends a=1",
    "RUN pip install --no-cache-dir -r requirements.txt",
    "RUN git clone --branch v1 https://e.org/x && git -C x checkout abc",
    "RUN chmod 755 /app/x && chmod +x /app/y && chmod 0640 /z",
    "RUN set -o pipefail; grep x | grep y",
    "ENV SECRET_KEY_FILE=/run/secrets/x TOKEN_TTL=300 ALLOW_EMPTY_PASSWORD=no",
    "ADD --checksum=sha256:abc https://e.org/x /x",
    "ADD rootfs.tar.xz /",
    "COPY server.pub /etc/key.pub",
    "RUN echo 'curl http://x | sh is bad'",
    "HEALTHCHECK --interval=5s CMD curl -f http://localhost/ || exit 1",
])  # fmt: skip
def test_what_only_resembles_it(line: str) -> None:
    assert failed(f"{GOOD}{line}\n") <= {"SW-IMG-406"}


def test_an_image_is_judged_by_its_history_and_places_are_told() -> None:
    found = of_image(IMAGE)
    assert found["SW-IMG-601"].seen[0].layer == 2
    assert found["SW-IMG-202"].seen[0].evidence == "ARG TOKEN"
    assert (found["SW-IMG-201"].seen[0].layer, found["SW-IMG-201"].seen[0].evidence) == (3, "ENV APP_PASSWORD=***")
    assert found["SW-IMG-801"].outcome is Outcome.NOT_APPLICABLE
    assert found["SW-IMG-701"].outcome is Outcome.NOT_APPLICABLE, "the base image's ADD is not this one's"
    risk = checks.risks(found.values())[0]
    assert (risk.severity, risk.category) == ("high", "user")


def test_no_secret_is_shown() -> None:
    for text in (
        "curl -u me:Zae7theo x",
        "A_PASSWORD='Zae7theo'",
        "x://u:Zae7theo@h",
        "--token=Zae7theo",
        "key: Zae7theo",
    ):
        assert "Zae7theo" not in shown(text)
    for answers in (of_image(IMAGE).values(), checks.results(checks.of_dockerfile(steps.dockerfile(
        "\n".join(line for lines in LINES.values() for line in lines).encode()
    )))):  # fmt: skip
        assert not [seen for one in answers for seen in one.seen if "Zae7theo" in seen.evidence]


def test_histories_of_both_builders() -> None:
    told = [step.text for step in steps.history([
        Layer(0, "a", 1, "/bin/sh -c apt-get update"),
        Layer(1, "b", 1, "RUN /bin/sh -c apt-get update # buildkit"),
        Layer(2, "c", 1, "/bin/bash -o pipefail -c apt-get update"),
        Layer(3, "d", 1, "|1 A=b c /bin/sh -c apt-get update"),
        Layer(4, "e", 1, "bazel build //x"),
        Layer(5, "f", 1, "/bin/sh -c #(nop) COPY dir:" + "a" * 64 + " in /app "),
    ])]  # fmt: skip
    assert told == [*["apt-get update"] * 4, "/app"]


def test_dockerfiles_in_all_their_forms() -> None:
    text = (
        b"\xef\xbb\xbf# escape=`\r\nfrom x as y\r\nRUN a `\r\n  # told\r\n\r\n  && b\n"
        b"RUN <<-'E'\n\tone\n\ttwo\n\tE\nCMD [\"a\"]\n"
    )
    found = steps.dockerfile(text)
    assert [(one.word, one.text, one.line) for one in found] == [
        ("FROM", "x as y", 2), ("RUN", "a && b", 3), ("RUN", "<<-'E'\none\ntwo", 7), ("CMD", '["a"]', 11),
    ]  # fmt: skip
    assert found[-1].listed == ("a",)


@pytest.mark.parametrize("data", [b"", b"\0\1\2", b"hello\n", b"A" * (steps.MAX_BYTES + 1), b"RUN a\n" * 6000])
def test_what_is_no_dockerfile(data: bytes) -> None:
    with pytest.raises(Hostile):
        steps.dockerfile(data)


@pytest.mark.parametrize("text", [
    "'" * 50_000, "\\" * 50_000, "|" * 100_000, "a=" * 50_000, "$(" * 50_000, "-" * 100_000, "curl " * 20_000,
    "://a" * 25_000,
    "password" * 12_000, "x" * 100_000 + "=" + "y", "<<E " * 20_000, "--a=" * 25_000, "[" * 100_000, "a|" * 50_000,
    "[&`/* " * 16_000, "StrictHostKeyChecking " * 4000, "/" * 100_000, "u+" * 50_000,
])  # fmt: skip
@pytest.mark.timeout(60)
def test_hostile_texts_are_judged_in_time(text: str) -> None:
    began = time.monotonic()
    for word in ("RUN", "COPY", "ENV", "CMD", "EXPOSE", "VOLUME"):
        failed(f"FROM x\n{word} {text}")
    config = replace(
        IMAGE.config, user=text, env=(text,), cmd=(text,), exposed=(text,), created=text, labels={text: text}
    )
    of_image(replace(IMAGE, config=config, layers=(Layer(0, "a", 1, text),)))
    assert time.monotonic() - began < 40, "no pattern may run away"


def test_words_of_a_shell() -> None:
    found = shell.commands('A=1 sudo -E x \'a b\' "c\\"d" 2>&1 | y && z; w |& v &')
    assert [one.words for one in found] == [("x", "a b", 'c\\"d', "2>&1"), ("y",), ("z",), ("w",), ("v",)]
    assert found[1].source is found[0]
    assert found[4].source is found[3]
    assert found[0].before == ("A=1", "sudo", "-E")


def test_ids_and_texts_are_whole() -> None:
    ids = [check.id for group in checks.GROUPS.values() for check in group]
    assert len(ids) == len(set(ids))
    for check in checks.CHECKS.values():
        assert all(check.en) and all(check.zh)
        assert any("\u4e00" <= char <= "\u9fff" for char in "".join(check.zh))


def test_every_group_is_a_file_and_every_file_a_group() -> None:
    folder = ROOT / "src/seawall/images/detect/checks"
    assert {path.stem for path in folder.glob("*.py")} - {"__init__", "check"} == set(checks.GROUPS)


def test_the_reference_is_of_today() -> None:
    assert (ROOT / "docs/reference/image-checks.md").read_text() == reference.text(), (
        "make it anew: detect/reference.py"
    )
