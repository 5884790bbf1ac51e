#include "fixture.hpp"

#include <random>

namespace agentdb9::archive {
namespace {

using test::TarMaker;
using testing::ElementsAre;
using testing::HasSubstr;

using ArchiveFile = ArchiveFixture;

std::string noise(std::size_t bytes) {
    std::minstd_rand random(7);
    std::string text(bytes, '\0');
    std::ranges::generate(text, [&] { return static_cast<char>(random()); });
    return text;
}

TarMaker tree() {
    TarMaker tar;
    tar.directory("./", 0750)
        .directory("./src/")
        .file("./src/main.c", "int main;")
        .file("./big", noise(3'000'000));
    tar.symbolic_link("./python", "/usr/bin/python3").symbolic_link("./up", "../../elsewhere");
    tar.hard_link("./src/same.c", "./src/main.c").add("./pipe", {}, {.type = '6'});
    return tar;
}

std::vector<std::string> paths(const Listing& listing) {
    std::vector<std::string> names;
    for (const auto& entry : listing.entries)
        names.push_back(std::string(to_text(entry.type)) + " " + entry.path);
    return names;
}

TEST_F(ArchiveFile, WhatWasWrittenIsVerifiedAndReadAgain) {
    const auto tar = tree().whole();
    for (const std::size_t piece : {std::size_t{511}, std::size_t{4'000'000}}) {
        const auto file = path("backup" + std::to_string(piece));
        const auto written = run(write(file, tar, piece));
        EXPECT_EQ(written.bytes, std::filesystem::file_size(file));
        EXPECT_EQ(written.sha256.size(), 64U);
        const auto contents = run(verify(executor(), file, written.sha256, {}));
        EXPECT_EQ(contents.files, 3U);
        EXPECT_EQ(contents.directories, 2U);
        EXPECT_EQ(contents.links, 2U);
        EXPECT_EQ(contents.bytes, 3'000'009U);
        const auto listing = run(list(run(read(file))));
        EXPECT_THAT(paths(listing),
                    ElementsAre("directory ", "directory src", "file src/main.c", "file big", "link python",
                                "link up", "hardlink src/same.c", "fifo pipe"));
        EXPECT_EQ(listing.entries[0].mode, 0750U);
        EXPECT_EQ(listing.entries[2].uid, 1000);
        EXPECT_EQ(base::to_unix_seconds(listing.entries[2].modified_at), 1'700'000'000);
        EXPECT_EQ(listing.entries[4].link_target, "/usr/bin/python3");
        EXPECT_EQ(listing.entries[6].link_target, "src/main.c");
    }
}

TEST_F(ArchiveFile, IsReadableByItsOwnerOnly) {
    const auto file = path("backup");
    run(write(file, tree().whole()));
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
}

TEST_F(ArchiveFile, LeavesAFileAloneThatIsThereAlready) {
    const auto file = store("precious", "the only copy");
    EXPECT_EQ(word_of(write(file, tree().whole())), "backup_storage");
    EXPECT_EQ(load(file), "the only copy");
}

TEST_F(ArchiveFile, AnUnfinishedOneIsRemoved) {
    const auto file = path("backup");
    const auto unfinished = [&]() -> Task<int> {
        Writer writer(executor(), file);
        const auto half = noise(5'000'000);
        co_await writer.write(half);
        co_return 0;
    };
    run(unfinished());
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(ArchiveFile, FindsOutWhenAByteIsLostOrChanged) {
    const auto file = path("backup");
    const auto written = run(write(file, tree().whole()));
    const auto whole = load(file);
    const auto cut = store("cut", whole.substr(0, whole.size() - 1));
    EXPECT_EQ(word_of(verify(executor(), cut, std::nullopt, {})), "archive_invalid");
    const auto half = store("half", whole.substr(0, whole.size() / 2));
    EXPECT_EQ(word_of(verify(executor(), half, std::nullopt, {})), "archive_invalid");
    EXPECT_EQ(word_of(read(half)), "archive_invalid");
    const auto longer = store("longer", whole + "x");
    EXPECT_EQ(word_of(verify(executor(), longer, written.sha256, {})), "archive_invalid");
    for (std::size_t at = 0; at < whole.size(); at += whole.size() / 20) {
        auto changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_EQ(word_of(verify(executor(), store("changed", changed), written.sha256, {})),
                  "archive_invalid")
            << at;
    }
}

TEST_F(ArchiveFile, ReadsWhatOtherProgramsMake) {
    EXPECT_THAT(
        paths(run(list(run(read(store("plain.tar", TarMaker().file("a.txt", "a").whole())))))),
        ElementsAre("directory ", "file a.txt"));  // the root comes first, whether it was there or not
    EXPECT_EQ(word_of(read(store("cut.tar", TarMaker().file("a.txt", "a").cut()))), "archive_invalid");
    EXPECT_THAT(sentence, HasSubstr("cut off"));
    EXPECT_EQ(word_of(read(store("text", "this is no archive at all, but a text"))), "archive_invalid");
    EXPECT_EQ(word_of(read(store("empty", ""))), "archive_invalid");
}

TEST_F(ArchiveFile, KeepsNamesOfAnyBytesAndAnyLength) {
    const std::string latin = "caf\xe9", utf8 = "日本語 ü.txt";
    const auto file = store("names.tar", TarMaker().file(latin, "1").file(utf8, "2").whole());
    const auto first = run(read(file));
    EXPECT_THAT(paths(run(list(first))), ElementsAre("directory ", "file " + latin, "file " + utf8));
    const auto long_name = std::string(200, 'd') + "/" + std::string(200, 'n');
    // pax: "LENGTH path=VALUE\n", the length counting itself.
    const auto record = "411 path=" + long_name + "\n";
    ASSERT_EQ(record.size(), 411U);
    const auto pax = TarMaker().add("PaxHeader", record, {.type = 'x'});
    EXPECT_THAT(paths(run(list(run(read(store("long.tar", TarMaker(pax).file("short", "x").whole())))))),
                ElementsAre("directory ", "file " + long_name));
}

struct Evil {
    std::string name;
    std::string tar;
    std::string says;
};
class BadArchives : public ArchiveFixture, public testing::WithParamInterface<Evil> {};

TEST_P(BadArchives, AreRefusedWithTheReason) {
    const auto file = store("bad.tar", GetParam().tar);
    EXPECT_EQ(word_of(verify(executor(), file, std::nullopt, {})), "archive_invalid");
    EXPECT_THAT(sentence, HasSubstr(GetParam().says));
    EXPECT_EQ(word_of(read(file)), "archive_invalid");
}

INSTANTIATE_TEST_SUITE_P(
    Archive, BadArchives,
    testing::Values(
        Evil{"Parent", TarMaker().file("../evil", "x").whole(), "leads out"},
        Evil{"ParentInside", TarMaker().file("a/../../evil", "x").whole(), "leads out"},
        Evil{"Absolute", TarMaker().file("/etc/passwd", "x").whole(), "leads out"},
        Evil{"ThroughALink", TarMaker().symbolic_link("a", "/etc").file("a/passwd", "x").whole(),
             "through a link"},
        Evil{"ThroughALinkWithDots", TarMaker().symbolic_link("./a", "/etc").file("a/./b", "x").whole(),
             "through a link"},
        Evil{"InPlaceOfALink", TarMaker().symbolic_link("a", "/etc/passwd").file("./a", "x").whole(),
             "place of a link"},
        Evil{"DirectoryInPlaceOfALink", TarMaker().symbolic_link("a", "/etc").directory("a/").whole(),
             "place of a link"},
        Evil{"HardLinkOut", TarMaker().hard_link("a", "../../etc/passwd").whole(), "hard link"},
        Evil{"HardLinkAbsolute", TarMaker().hard_link("a", "/etc/passwd").whole(), "hard link"},
        Evil{"HardLinkThroughALink", TarMaker().symbolic_link("d", "/etc").hard_link("a", "d/passwd").whole(),
             "through a link"},
        Evil{"ThroughAHardLinkToALink",
             TarMaker().symbolic_link("d", "/etc").hard_link("e", "d").file("e/passwd", "x").whole(),
             "through a link"},
        Evil{"Device", TarMaker().add("sda", {}, {.type = '4'}).whole(), "device"},
        Evil{"TerminalDevice", TarMaker().add("tty", {}, {.type = '3'}).whole(), "device"}),
    [](const auto& each) { return each.param.name; });

TEST_F(ArchiveFile, ABombIsStoppedByItsLimit) {
    const auto file = path("bomb");
    // Zeros: a thousandth of their size when compressed.
    const auto written = run(write(file, TarMaker().file("zeros", std::string(20'000'000, '\0')).whole()));
    EXPECT_LT(written.bytes, 100'000U);
    EXPECT_EQ(word_of(verify(executor(), file, std::nullopt, {.bytes = 10'000'000, .entries = 10})),
              "archive_too_large");
    EXPECT_EQ(word_of(read(file, {.bytes = 10'000'000, .entries = 10})), "archive_too_large");
    TarMaker many;
    for (int i = 0; i < 20; ++i)
        many.file("f" + std::to_string(i), "");
    EXPECT_EQ(word_of(read(store("many.tar", many.whole()), {.bytes = 1, .entries = 19})),
              "archive_too_large");
}

TEST_F(ArchiveFile, AListCountsMoreThanItKeeps) {
    const auto listing = run(list(tree().whole(), 2));
    EXPECT_EQ(listing.entries.size(), 2U);
    EXPECT_EQ(listing.contents.files, 3U);
}

TEST_F(ArchiveFile, AFilesContentComesOutOfItsTar) {
    const auto content = noise(2'500'000);
    const auto through = [this](std::string tar) -> Task<std::string> {
        FileContent file(executor());
        const auto feed = [](FileContent& to, std::string bytes) -> Task<> {
            co_await to.write(bytes);
            to.finish();
        };
        asio::co_spawn(executor(), feed(file, std::move(tar)), [](std::exception_ptr) {});
        std::string out = (co_await file.head()).path + ":";
        std::vector<char> room(9'999);
        while (const auto got = co_await file.read(room))
            out.append(room.data(), got);
        co_return out;
    };
    EXPECT_EQ(run(through(TarMaker().file("notes", content).whole())), "notes:" + content);
    EXPECT_EQ(word_of(through(TarMaker().directory("./").whole())), "not_a_file");
}

}  // namespace
}  // namespace agentdb9::archive
