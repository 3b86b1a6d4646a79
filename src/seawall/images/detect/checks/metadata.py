"""On what an image is built, and what it says of itself."""

import re
from collections.abc import Iterable

from seawall.core import clock
from seawall.core.severity import Severity
from seawall.images.detect.checks.check import Check, Seen, Subject, at, shown
from seawall.images.detect.steps import Step

MAX_AGE = 365 * 86400.0
"""Seconds after which an image counts as forgotten."""
_ZERO = 86400.0 * 366 * 2
"""Dates up to 1972 are no dates: builds that can be repeated write the beginning of time."""
_MANY_LAYERS, _MANY_BYTES = 50, 2 << 30
_WANTED = ("org.opencontainers.image.source", "org.opencontainers.image.version", "org.opencontainers.image.revision")
_LABEL = re.compile(r"^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$", re.IGNORECASE)


def _bases(subject: Subject) -> list[tuple[Step, str]] | None:
    """Each FROM with the image it names; earlier stages and variables are none."""
    if subject.image is not None:
        return None
    names: set[str] = set()
    found = []
    for step in subject.steps:
        if step.word == "FROM":
            words = step.text.split()
            if words and words[0] not in names and words[0] != "scratch" and "$" not in words[0]:
                found.append((step, words[0]))
            if len(words) > 2 and words[1].lower() == "as":
                names.add(words[2])
    return found


def _tag(name: str) -> str:
    return name.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _latest(subject: Subject) -> Iterable[Seen] | None:
    bases = _bases(subject)
    return (
        None
        if bases is None
        else [at(step) for step, name in bases if "@" not in name and _tag(name) in ("", "latest")]
    )


def _unpinned(subject: Subject) -> Iterable[Seen] | None:
    bases = _bases(subject)
    return None if bases is None else [at(step) for step, name in bases if "@sha256:" not in name]


def _own_tag(subject: Subject) -> Iterable[Seen] | None:
    if subject.image is None or not subject.image.tags:
        return None
    return [Seen(shown(one)) for one in subject.image.tags if _tag(one) in ("", "latest")]


def _platform(subject: Subject) -> Iterable[Seen] | None:
    if subject.image is not None:
        return None
    return [
        at(one, f"--platform={value} {one.text}")
        for one in subject.of("FROM")
        for name, value in one.flags
        if name == "platform" and "$" not in value
    ]


def _stages(subject: Subject) -> Iterable[Seen] | None:
    if subject.image is not None:
        return None
    seen: set[str] = set()
    found = []
    for one in subject.of("FROM"):
        words = one.text.lower().split()
        if len(words) > 2 and words[1] == "as":
            if words[2] in seen:
                found.append(at(one))
            seen.add(words[2])
    return found


def _copied_from(subject: Subject) -> Iterable[Seen] | None:
    """COPY --from=NAME that is neither an earlier stage nor pinned: an image that nobody sees in FROM."""
    if subject.image is not None:
        return None
    names: set[str] = set()
    found = []
    for one in subject.steps:
        words = one.text.lower().split()
        if one.word == "FROM" and len(words) > 2 and words[1] == "as":
            names.add(words[2])
        source = dict(one.flags).get("from", "")
        if (
            one.word == "COPY"
            and source
            and not source.isdecimal()
            and source.lower() not in names
            and "@sha256:" not in source
        ):
            found.append(at(one, f"--from={source} {one.text}"))
    return found


def _labels(subject: Subject) -> Iterable[Seen]:
    missing = [name for name in _WANTED if name not in subject.config.labels]
    if missing:
        yield Seen(f"missing: {', '.join(missing)}")


def _bad_labels(subject: Subject) -> Iterable[Seen] | None:
    if not subject.config.labels:
        return None
    return [Seen(f"LABEL {shown(name)}") for name in subject.config.labels if not _LABEL.match(name) or "$" in name]


def _created(subject: Subject) -> float | None:
    try:
        created = clock.parse_time(subject.config.created)
    except ValueError:
        return None
    return created if created > _ZERO else None


def _old(subject: Subject) -> Iterable[Seen] | None:
    created = _created(subject)
    if created is None or not subject.now:
        return None
    age = subject.now - created
    return [Seen(f"created {subject.config.created[:10]}, {int(age // 86400)} days ago")] if age > MAX_AGE else []


def _future(subject: Subject) -> Iterable[Seen] | None:
    created = _created(subject)
    if created is None or not subject.now:
        return None
    return [Seen(f"created {subject.config.created[:19]}")] if created > subject.now + 86400 else []


def _layers(subject: Subject) -> Iterable[Seen] | None:
    if subject.image is None:
        return None
    count = sum(not one.empty for one in subject.image.layers)
    return [Seen(f"{count} layers")] if count > _MANY_LAYERS else []


def _size(subject: Subject) -> Iterable[Seen] | None:
    size = sum(one.size for one in subject.image.layers) if subject.image else 0
    if not size:
        return None
    return [Seen(f"{size / 1e9:.1f} GB")] if size > _MANY_BYTES else []


def _silent(subject: Subject) -> Iterable[Seen] | None:
    if subject.image is None or not subject.image.layers:
        return None
    silent = [one for one in subject.image.layers if not one.created_by.strip() and not one.empty]
    return [Seen(f"{len(silent)} of {len(subject.image.layers)} layers", silent[0].index)] if silent else []


def _nowhere(subject: Subject) -> Iterable[Seen] | None:
    if subject.image is None or not subject.config.id:
        return None
    missing = [name for name in ("architecture", "os") if not getattr(subject.config, name)]
    return [Seen(f"no {' and no '.join(missing)}")] if missing else []


def _unreleased(subject: Subject) -> Iterable[Seen] | None:
    system = subject.image.os if subject.image else None
    if system is None:
        return None
    text = f"{system.id} {system.version} {system.name} {system.codename}".lower()
    return (
        [Seen(shown(system.name or text))]
        if re.search(r"\b(sid|unstable|testing|rawhide|edge|tumbleweed)\b|_alpha|/sid", text)
        else []
    )


CHECKS = (
    Check(
        "SW-IMG-801", Severity.MEDIUM, _latest,
        ("The base image has no tag, or latest", "Which base the next build gets is left to chance.", "Name a version, best with its digest."),
        ("基础镜像未指定标签或使用 latest", "下一次构建使用哪个基础镜像全凭运气。", "指定版本，最好同时指定摘要。"),
        ("CIS 4.2", "DL3006", "DL3007", "DKL-DI-0006"),
    ),
    Check(
        "SW-IMG-802", Severity.LOW, _unpinned,
        ("The base image is not pinned by digest", "A tag can be moved to another image, by its owner or by somebody who took over the account.", "FROM name:tag@sha256:…, and let a bot renew it."),
        ("基础镜像未固定摘要", "标签可能被所有者或盗号者指向其他镜像。", "使用 FROM name:tag@sha256:…，并由机器人自动更新。"),
        ("CIS 4.2",),
    ),
    Check(
        "SW-IMG-803", Severity.INFO, _own_tag,
        ("The image itself is called latest", "Nobody can tell later which build ran where.", "Tag with a version or commit."),
        ("镜像自身使用 latest 标签", "事后无法确认某处运行的是哪次构建。", "使用版本号或提交哈希作为标签。"),
        ("DKL-DI-0006",),
    ),
    Check(
        "SW-IMG-804", Severity.INFO, _platform,
        ("FROM names one platform", "Builds for other platforms then run emulated, or hold the wrong programs.", "Leave --platform out, or use $BUILDPLATFORM and $TARGETPLATFORM."),
        ("FROM 固定了单一平台", "为其他平台构建时会以模拟方式运行或包含错误的程序。", "去掉 --platform，或使用 $BUILDPLATFORM、$TARGETPLATFORM。"),
        ("DL3029",),
    ),
    Check(
        "SW-IMG-805", Severity.LOW, _stages,
        ("Two stages have the same name", "COPY --from takes one of them, not always the one that was meant.", "Give each stage a name of its own."),
        ("构建阶段重名", "COPY --from 可能引用到错误的阶段。", "为每个阶段使用不同名称。"),
        ("DL3024",),
    ),
    Check(
        "SW-IMG-806", Severity.LOW, _copied_from,
        ("Files are copied out of an image that no FROM names", "Its content is not pinned and is easily overlooked in a review.", "Name it in a FROM of its own, with its digest."),
        ("从未在 FROM 中声明的镜像复制文件", "该镜像内容未固定，且容易在评审中被忽略。", "在单独的 FROM 中声明，并固定摘要。"),
        ("DL3022",),
    ),
    Check(
        "SW-IMG-807", Severity.INFO, _labels,
        ("The image does not say where it comes from", "Without source, version and revision nobody finds the code of what runs.", "Set org.opencontainers.image.source, .version and .revision."),
        ("镜像未标注来源信息", "缺少 source、version、revision 标签，无法追溯运行内容对应的代码。", "设置 org.opencontainers.image.source、.version 与 .revision 标签。"),
        ("DL3049",),
    ),
    Check(
        "SW-IMG-808", Severity.INFO, _bad_labels,
        ("A label's name is not as names should be", "Tools that select by labels do not find it.", "Letters, digits, dots, dashes; begin and end with a letter or digit."),
        ("标签键名不规范", "按标签筛选的工具无法识别。", "仅使用字母、数字、点与连字符，且以字母或数字开头和结尾。"),
        ("DL3048",),
    ),
    Check(
        "SW-IMG-809", Severity.MEDIUM, _old,
        ("The image is older than a year", "What was found in its packages since then is not mended in it.", "Build it anew on a current base, and do so by schedule."),
        ("镜像构建时间超过一年", "此后发现的漏洞均未在镜像中修复。", "基于最新基础镜像重新构建，并定期执行。"),
        ("CIS 4.4", "CIS 4.5"),
    ),
    Check(
        "SW-IMG-810", Severity.LOW, _future,
        ("The image's date lies in the future", "Rules that go by age never hold for it: a wrong clock, or somebody who wants that.", "Set the build machine's clock."),
        ("镜像创建时间在未来", "按时间的策略对其失效：可能是时钟错误，也可能是有意为之。", "校正构建机时钟。"),
    ),
    Check(
        "SW-IMG-811", Severity.INFO, _layers,
        ("The image has very many layers", "Each one costs at every start, and what is deleted in between stays readable.", "Join steps, or use several stages."),
        ("镜像层数过多", "每一层都会增加启动开销，中间删除的内容仍可读取。", "合并步骤或使用多阶段构建。"),
    ),
    Check(
        "SW-IMG-812", Severity.INFO, _size,
        ("The image is larger than 2 GB", "Much that nobody needs is much that can be abused, and slow to bring where a fix is urgent.", "Use several stages and a small base."),
        ("镜像大于 2 GB", "多余内容增加攻击面，也拖慢紧急修复的分发。", "使用多阶段构建与精简的基础镜像。"),
        ("CIS 4.3",),
    ),
    Check(
        "SW-IMG-813", Severity.INFO, _silent,
        ("Layers without a history", "Nobody can see how they were made: squashed, imported or hidden.", "Build from a Dockerfile and keep the history."),
        ("镜像层缺少构建历史", "无法得知其来源：可能被压缩、导入或刻意隐藏。", "使用 Dockerfile 构建并保留历史。"),
    ),
    Check(
        "SW-IMG-814", Severity.LOW, _nowhere,
        ("The image does not say for which machine it is", "Runtimes guess, and checks by platform do not hold.", "Build with a current builder."),
        ("镜像未声明平台信息", "运行时只能猜测，按平台的检查失效。", "使用较新的构建工具重新构建。"),
    ),
    Check(
        "SW-IMG-815", Severity.LOW, _unreleased,
        ("The image is built on an unreleased distribution", "sid, testing, edge and rawhide have no security support.", "Use a supported release."),
        ("镜像基于未发布的发行版", "sid、testing、edge、rawhide 等没有安全支持。", "使用受支持的正式版本。"),
        ("CIS 4.2",),
    ),
)  # fmt: skip
