#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings.hpp"
#include "unit/config/loading.hpp"

namespace agentdb9::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> lines_of(const base::Error& error) {
    std::vector<std::string> lines;
    for (const auto& each : error.fields())
        lines.push_back(each.field + " " + each.problem);
    return lines;
}

TEST(Mistakes, AnUnknownKeyNamesItsLineAndTheNearestKnownOne) {
    EXPECT_THAT(
        lines_of(refusal_of("\n[server]\nlisten = \"127.0.0.1:1\"\ntreads = 2\n")),
        ElementsAre("agentdb9.toml:4: server.treads is not a known key, did you mean 'server.threads'?"));
    EXPECT_THAT(lines_of(refusal_of("[sever]\nthreads = 2\n")),
                ElementsAre("agentdb9.toml:1: sever is not a known key, did you mean 'server'?"));
    EXPECT_THAT(lines_of(refusal_of("colour = \"blue\"\n")),
                ElementsAre("agentdb9.toml:1: colour is not a known key"));
}

TEST(Mistakes, AWrongTypeSaysWhatIsWanted) {
    EXPECT_THAT(lines_of(refusal_of(R"([server]
listen = 8000
threads = "2"
trustedProxies = "10.0.0.1"
[auth]
rateLimit = "yes"
)")),
                ElementsAre("agentdb9.toml:6: auth.rateLimit must be true or false",
                            "agentdb9.toml:2: server.listen must be a text",
                            "agentdb9.toml:3: server.threads must be a whole number",
                            "agentdb9.toml:4: server.trustedProxies must be a list of texts"));
}

TEST(Mistakes, ATableInThePlaceOfAValueOrTheOtherWayRoundIsRefused) {
    EXPECT_THAT(refusal_of("server = 3\n").message(), HasSubstr("agentdb9.toml:1: server must be a section"));
    EXPECT_THAT(refusal_of("rewrites = 3\n").message(), HasSubstr("rewrites must be a table of texts"));
    EXPECT_THAT(refusal_of("workspaceTypes = 3\n").message(), HasSubstr("workspaceTypes must be tables"));
    EXPECT_THAT(refusal_of("[docker]\nvolumeDriverOptions = 3\n").message(),
                HasSubstr("docker.volumeDriverOptions must be a table of texts"));
    EXPECT_THAT(refusal_of("[server.listen]\nport = 1\n").message(),
                HasSubstr("server.listen must be a text"));
}

TEST(Mistakes, ACertificateAndItsKeyGoTogether) {
    EXPECT_THAT(
        lines_of(refusal_of("[server]\ntlsCertificate = \"/a.pem\"\n")),
        ElementsAre("agentdb9.toml:2: server.tlsCertificate is set, but server.tlsKey is not: TLS needs "
                    "both, or neither"));
    EXPECT_THAT(refusal_of("[server]\nappsTlsKey = \"/a.key\"\n").message(),
                HasSubstr("server.appsTlsKey is set, but server.appsTlsCertificate is not"));
    EXPECT_THAT(refusal_of("[server]\ntlsCertificate = \"a.pem\"\ntlsKey = \"/a.key\"\n").message(),
                HasSubstr("server.tlsCertificate must be an absolute path"));
}

struct BadValue {
    const char* key;
    std::vector<std::string> values;
};

TEST(Mistakes, BadValuesAreRefusedFromTheEnvironmentByName) {
    const std::vector<BadValue> all{
        {"dataDir", {""}},
        {"database.url", {"mysql://x", ""}},
        {"server.listen", {"", "8000", ":8000", "work.example:8000", "1.2.3:80", "127.0.0.1:65536", "::1:x"}},
        {"server.appsListen", {"127.0.0.1:-1"}},
        {"server.threads", {"", "-1", "65", "2x", "1.5"}},
        {"server.publicUrl", {"work.example", "ftp://x", "https://", "https://a/b", "https://u@a"}},
        {"server.appsDomain", {"", "https://a.test", "a.test.", "*.a.test", "10.0.0.1", "a.test:80"}},
        {"server.trustedProxies",
         {"proxy.example", "10.0.0.0/33", "::/129", "10.0.0.1,", "10.0.0.1, 10.0.0.2"}},
        {"server.bodyLimit", {"1023", "1GB"}},
        {"server.drainSeconds", {"601"}},
        {"proxy.headSeconds", {"0", "3601", "10s"}},
        {"proxy.bodySeconds", {"0"}},
        {"proxy.idleSeconds", {"0"}},
        {"proxy.totalSeconds", {"-1", "604801"}},
        {"proxy.connectSeconds", {"0"}},
        {"proxy.answerSeconds", {"0"}},
        {"proxy.connectionsPerUser", {"0", "1000001"}},
        {"proxy.connectionsPerAddress", {"0", "many"}},
        {"proxy.connectionsPerThread", {"0"}},
        {"auth.registration", {"yes"}},
        {"auth.rateLimit", {"1"}},
        {"auth.jwtSecret", {"too short"}},
        {"auth.adminEmail", {"nobody"}},
        {"auth.adminPassword", {"short"}},
        {"docker.host", {"", "ssh://a", "unix://relative", "tcp://a", "tcp://a:0", "tcp://a:1/b"}},
        {"docker.network", {"", "host", "bridge", "none"}},
        {"docker.reach", {"far"}},
        {"docker.volumeDriver", {""}},
        {"docker.maxParallelStarts", {"0", "65"}},
        {"docker.registryLogins", {"", "config.json", "~/.docker/config.json"}},
        {"docker.firewall", {"on"}},
        {"docker.egress", {"example.org", "10.0.0.0/33", "all,10.0.0.0/8"}},
        {"docker.hostPorts", {"0", "65536", "https"}},
        {"trash.days", {"0", "3651"}},
        {"audit.days", {"0", "3651", "all"}},
        {"backups.directory", {"", "relative/path"}},
        {"backups.everyHours", {"-1", "8785", "daily"}},
        {"backups.keep", {"0", "10001"}},
        {"history.days", {"0", "3651"}},
        {"history.perWorkspace", {"9", "100001"}},
        {"idle.checkSeconds", {"0", "3601"}},
        {"idle.warningSeconds", {"0", "86401"}},
        {"idle.cpuPercent", {"0", "10001"}},
        {"idle.diskKilobytes", {"0", "1000000001"}},
        {"idle.leastMinutes", {"0", "525601"}},
        {"idle.mostMinutes", {"-1", "525601"}},
        {"idle.keepAliveSeconds", {"59", "31536001"}},
        {"cleaning.volumesMinutes", {"0", "44641"}},
        {"cleaning.containersMinutes", {"-1", "44641"}},
        {"cleaning.failedMinutes", {"-1", "44641"}},
        {"cleaning.inactiveMinutes", {"-1", "44641", "daily"}},
        {"cleaning.imagesMinutes", {"-1", "44641"}},
        {"cleaning.prefetchMinutes", {"-1", "44641"}},
        {"cleaning.failedHours", {"-1", "8785"}},
        {"cleaning.inactiveDays", {"-1", "3651"}},
        {"cleaning.imageDays", {"-1", "3651"}},
        {"backups.maxParallel", {"0", "65"}},
        {"backups.importLimit", {"0", "1048575"}},
        {"executions.perWorkspace", {"0", "1001"}},
        {"executions.perUser", {"0", "10001"}},
        {"executions.defaultSeconds", {"0", "86401"}},
        {"executions.maxSeconds", {"0", "86401", "1h"}},
        {"terminals.perWorkspace", {"0", "1001"}},
        {"terminals.perUser", {"0", "10001"}},
        {"terminals.keepSeconds", {"0", "86401"}},
        {"logs.level", {"verbose"}},
        {"logs.format", {"xml"}},
        {"logs.access", {"", "true", "on"}},
        {"logs.accessSample", {"0", "1%"}},
    };
    for (const auto& [key, values] : all) {
        const auto setting = std::ranges::find(settings(), key, &Setting::key);
        ASSERT_NE(setting, settings().end()) << key;
        for (const auto& value : values) {
            // A list has an end that its text form does not show.
            if (value.ends_with(',')) continue;
            Inputs inputs;
            inputs.environment[setting->environment] = value;
            const auto error = refusal_of("", inputs);
            EXPECT_EQ(error.word(), "invalid_configuration") << key << " = " << value;
            ASSERT_EQ(error.fields().size(), 1U) << error.message();
            EXPECT_EQ(error.fields()[0].field, "environment " + setting->environment + ": " + key);
            EXPECT_THAT(error.fields()[0].problem, HasSubstr("must ")) << key;
        }
    }
}

TEST(Mistakes, OriginsThatAreNotApartAreRefused) {
    const auto with = [](const std::string& more) {
        return "[server]\nappsDomain = \"apps.example.org\"\n" + more;
    };
    EXPECT_EQ(
        load_text(with("appsUrl = \"https://apps.example.org:444\"\npublicUrl = \"https://example.org\"\n"))
            .configuration.server.apps_domain,
        "apps.example.org");
    EXPECT_THAT(refusal_of(with("appsUrl = \"https://other.example.org\"\n")).message(),
                HasSubstr("server.appsUrl must name server.appsDomain"));
    for (const auto* url : {"https://apps.example.org", "http://a.b.APPS.example.org:81"})
        EXPECT_THAT(refusal_of(with("publicUrl = \"" + std::string(url) + "\"\n")).message(),
                    HasSubstr("server.publicUrl must lie outside of server.appsDomain"));
    EXPECT_EQ(load_text(with("publicUrl = \"https://myapps.example.org\"\n")).configuration.server.public_url,
              "https://myapps.example.org");
    EXPECT_EQ(load_text("[server]\nappsDomain = \"Apps.Example.org\"\n").configuration.server.apps_domain,
              "apps.example.org");
}

TEST(Mistakes, AFlagIsNamedAsItWasWritten) {
    Inputs inputs;
    inputs.flags["server.listen"] = {"--listen", "nowhere"};
    EXPECT_THAT(lines_of(refusal_of("", inputs)),
                ElementsAre("flag --listen: server.listen must be ADDRESS:PORT, e.g. 127.0.0.1:8000"));
}

TEST(Mistakes, AllAreToldAtOnce) {
    Inputs inputs;
    inputs.environment["AGENTDB9_TRASH_DAYS"] = "never";
    const auto error = refusal_of("[server]\nthreads = -1\n[logs]\nlevel = \"loud\"\n", inputs);
    EXPECT_EQ(error.fields().size(), 3U);
    EXPECT_THAT(error.message(), HasSubstr("\n  agentdb9.toml:2: server.threads must be"));
    EXPECT_THAT(error.message(), HasSubstr("\n  agentdb9.toml:4: logs.level must be"));
    EXPECT_THAT(error.message(), HasSubstr("\n  environment AGENTDB9_TRASH_DAYS: trash.days must be"));
}

TEST(Mistakes, WhatIsNoTomlNamesItsLine) {
    EXPECT_THAT(refusal_of("[server]\nlisten = \n").fields().at(0).field, HasSubstr("agentdb9.toml:2"));
    EXPECT_THAT(refusal_of("[server]\nthreads = 1\nthreads = 2\n").fields().at(0).field,
                HasSubstr("agentdb9.toml:3"));
}

TEST(Mistakes, AFileThatIsNamedMustBeThere) {
    Inputs inputs;
    inputs.file = "/nowhere/agentdb9.toml";
    try {
        load(inputs);
        FAIL() << "was accepted";
    } catch (const base::Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("/nowhere/agentdb9.toml is not there"));
    }
}

TEST(Mistakes, RewritesAreHeldToWhatTheProxyCanFollow) {
    const auto problem = [](const std::string& path, const std::string& value) {
        return refusal_of("[rewrites]\n\"" + path + "\" = \"" + value + "\"\n").message();
    };
    for (const char* path : {"wiki", "/", "/wiki/", "/api", "/api/x", "/workspace-proxy", "/a?b", "/a#b"})
        EXPECT_THAT(problem(path, "vscode"), HasSubstr("must be a path like")) << path;
    for (const char* value : {"", "https://a:1", "http://", "http://a:0", "http://a:x", "http://a/b",
                              "http://u@a:80", "http://::1:80", "a:b"})
        EXPECT_THAT(problem("/wiki", value), HasSubstr("agentdb9.toml:2: rewrites./wiki must lead to"))
            << value;
    EXPECT_THAT(problem("/wiki", "vscodium"), HasSubstr("leads to 'vscodium', which is no workspace type"));
}

TEST(Mistakes, ARewriteMayLeadToATypeThatTheFileMakes) {
    const auto loaded = load_text(
        "[rewrites]\n\"/rstudio\" = \"rstudio\"\n"
        "[workspaceTypes.rstudio]\ncontainerImage = \"rocker/rstudio\"\ndefaultPort = 8787\n");
    EXPECT_EQ(shown(loaded, "rewrites./rstudio").value, "rstudio");
}

TEST(Mistakes, PathsThatOnlyBeginLikeTheApiAreFree) {
    EXPECT_EQ(shown(load_text("[rewrites]\n\"/apidocs\" = \"http://a\"\n"), "rewrites./apidocs").value,
              "http://a:80");
}

}  // namespace
}  // namespace agentdb9::config
