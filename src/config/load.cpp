#include <toml++/toml.h>
#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "config/configuration.hpp"
#include "config/did_you_mean.hpp"
#include "config/settings.hpp"
#include "config/workspace_types.hpp"
#include "model/application_host.hpp"

namespace agentdb9::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTypes = "workspaceTypes";
constexpr std::string_view kRewrites = "rewrites";
constexpr std::string_view kDriverOptions = "docker.volumeDriverOptions";
// What may hold passwords, and is nobody's business but the engine's.
constexpr std::string_view kHidden = "(set)";

std::string text_of(const toml::node& node) {
    std::ostringstream text;
    node.visit([&text](const auto& value) { text << value; });
    return text.str();
}

// Collects what is wrong, and where each value came from.
class Loader {
  public:
    explicit Loader(const Inputs& inputs) : inputs_(inputs) {}

    Loaded run() {
        loaded_.configuration.data_dir = default_data_dir();
        // The data directory is settled first: the file may lie in it.
        apply_environment("dataDir");
        apply_flags("dataDir");
        if (const auto file = find_file()) read_file(*file);
        apply_environment({});
        apply_docker_host();
        apply_flags({});
        warn_of_unknown_environment();
        check_origins();
        check_tls();
        if (!problems_.empty()) refuse();
        show();
        return std::move(loaded_);
    }

  private:
    std::string environment(const std::string& name) const {
        const auto found = inputs_.environment.find(name);
        return found == inputs_.environment.end() ? std::string() : found->second;
    }

    fs::path default_data_dir() const {
        if (auto xdg = environment("XDG_DATA_HOME"); !xdg.empty()) return fs::path(xdg) / "agentdb9";
        if (auto home = environment("HOME"); !home.empty())
            return fs::path(home) / ".local" / "share" / "agentdb9";
        return "/var/lib/agentdb9";
    }

    std::optional<fs::path> find_file() {
        std::optional<fs::path> named = inputs_.file;
        if (auto name = environment("AGENTDB9_CONFIG"); !named && !name.empty()) named = name;
        std::error_code ec;
        if (named) {
            if (fs::exists(*named, ec)) return named;
            report(named->string(), "is not there: no configuration file has this name");
            return std::nullopt;
        }
        for (const auto& place :
             {loaded_.configuration.data_dir / "agentdb9.toml", fs::path("/etc/agentdb9/agentdb9.toml")}) {
            if (fs::exists(place, ec)) return place;
        }
        return std::nullopt;
    }

    // The data directory is looked at twice; a mistake is told once.
    void report(std::string field, std::string problem) {
        const bool known = std::ranges::any_of(problems_, [&](const base::FieldProblem& each) {
            return each.field == field && each.problem == problem;
        });
        if (!known) problems_.push_back({std::move(field), std::move(problem)});
    }

    void apply(const Setting& setting, const std::string& value, const std::string& source) {
        if (auto problem = setting.set(loaded_.configuration, value); !problem.empty()) {
            report(source + ": " + setting.key, problem);
        } else {
            sources_[setting.key] = source;
        }
    }

    void apply_environment(std::optional<std::string_view> only) {
        for (const auto& setting : settings()) {
            if (only && setting.key != *only) continue;
            const auto found = inputs_.environment.find(setting.environment);
            if (found != inputs_.environment.end())
                apply(setting, found->second, "environment " + setting.environment);
        }
    }

    // The engine's own variable, for whoever uses its other tools too.
    void apply_docker_host() {
        const auto host = environment("DOCKER_HOST");
        if (host.empty() || loaded_.configuration.docker.host) return;
        const auto setting = std::ranges::find(settings(), "docker.host", &Setting::key);
        apply(*setting, host, "environment DOCKER_HOST");
    }

    void apply_flags(std::optional<std::string_view> only) {
        for (const auto& [key, flag] : inputs_.flags) {
            if (only && key != *only) continue;
            const auto setting = std::ranges::find(settings(), key, &Setting::key);
            if (setting != settings().end()) apply(*setting, flag.value, "flag " + flag.name);
        }
    }

    // Origins that would not be apart.
    void check_origins() {
        const auto& server = loaded_.configuration.server;
        if (!server.apps_domain) return;
        const auto& domain = *server.apps_domain;
        if (server.apps_url && model::host_name_of(*server.apps_url) != domain) {
            report(source_of("server.appsUrl") + ": server.appsUrl",
                   "must name server.appsDomain, whose scheme and port it says, e.g. https://" + domain);
        }
        const auto page = model::host_name_of(server.public_url.value_or(""));
        if (page == domain || page.ends_with("." + domain)) {
            report(source_of("server.publicUrl") + ": server.publicUrl",
                   "must lie outside of server.appsDomain: applications could set cookies for it");
        }
    }

    void warn_of_unknown_environment() {
        // The last three are for the commands of a client (cli/client).
        std::vector<std::string> known{"AGENTDB9_CONFIG", "AGENTDB9_URL", "AGENTDB9_TOKEN",
                                       "AGENTDB9_CACERT"};
        for (const auto& setting : settings())
            known.push_back(setting.environment);
        for (const auto& [name, value] : inputs_.environment) {
            if (!name.starts_with("AGENTDB9_") || std::ranges::find(known, name) != known.end()) continue;
            const auto near = did_you_mean(name, known);
            loaded_.warnings.push_back("the environment variable " + name +
                                       " names no setting and is ignored" +
                                       (near ? "; did you mean " + *near + "?" : ""));
        }
    }

    // A certificate without its key, or the other way round, is a mistake of which one half is right.
    void check_tls() {
        const auto& server = loaded_.configuration.server;
        const auto check = [this](bool certificate, bool key, const std::string& prefix) {
            if (certificate == key) return;
            const auto [set, missing] = certificate ? std::pair(prefix + "Certificate", prefix + "Key")
                                                    : std::pair(prefix + "Key", prefix + "Certificate");
            report(source_of(set) + ": " + set,
                   "is set, but " + missing + " is not: TLS needs both, or neither");
        };
        check(server.tls_certificate.has_value(), server.tls_key.has_value(), "server.tls");
        check(server.apps_tls_certificate.has_value(), server.apps_tls_key.has_value(), "server.appsTls");
    }

    std::string place_of(const toml::node& node) const {
        return file_.filename().string() + ":" + std::to_string(node.source().begin.line);
    }

    void report(const toml::node& node, const std::string& key, const std::string& problem) {
        report(place_of(node) + ": " + key, problem);
    }

    void read_file(const fs::path& file) {
        file_ = file;
        loaded_.file = file;
        toml::table table;
        try {
            table = toml::parse_file(file.string());
        } catch (const toml::parse_error& error) {
            const auto line = error.source().begin.line;
            report(line == 0 ? file.string() : file_.filename().string() + ":" + std::to_string(line),
                   std::string(error.description()));
            return;
        }
        walk(table, "");
        // After the types, whose names it may use.
        if (const auto* node = table.get(kRewrites)) read_rewrites(*node);
    }

    void walk(const toml::table& table, const std::string& prefix) {
        for (const auto& [name, node] : table) {
            const std::string key = prefix + std::string(name.str());
            if (key == kTypes) {
                read_types(node);
            } else if (key == kDriverOptions) {
                for (auto& [option, value] : read_texts(node, key))
                    loaded_.configuration.docker.volume_driver_options[option] = value;
            } else if (is_section(key)) {
                if (const auto* inner = node.as_table()) {
                    walk(*inner, key + ".");
                } else {
                    report(node, key, "must be a section, [" + key + "]");
                }
            } else if (key != kRewrites) {
                read_setting(key, node);
            }
        }
    }

    static bool is_section(const std::string& key) {
        return std::ranges::any_of(
            settings(), [&](const Setting& setting) { return setting.key.starts_with(key + "."); });
    }

    static std::vector<std::string> known_keys() {
        std::vector<std::string> known{std::string(kTypes), std::string(kRewrites),
                                       std::string(kDriverOptions)};
        for (const auto& setting : settings()) {
            known.push_back(setting.key);
            known.push_back(setting.key.substr(0, setting.key.find('.')));
        }
        return known;
    }

    void read_setting(const std::string& key, const toml::node& node) {
        const auto found = std::ranges::find(settings(), key, &Setting::key);
        if (found == settings().end()) {
            const auto near = did_you_mean(key, known_keys());
            report(node, key, "is not a known key" + (near ? ", did you mean '" + *near + "'?" : ""));
            return;
        }
        std::optional<std::string> text;
        std::string wanted;
        switch (found->kind) {
            case Kind::kText:
                text = node.value_exact<std::string>();
                wanted = "must be a text";
                break;
            case Kind::kInteger:
                if (auto value = node.value_exact<std::int64_t>()) text = std::to_string(*value);
                wanted = "must be a whole number";
                break;
            case Kind::kFlag:
                if (auto value = node.value_exact<bool>()) text = *value ? "true" : "false";
                wanted = "must be true or false";
                break;
            case Kind::kTextList:
                text = joined(node);
                wanted = "must be a list of texts";
                break;
        }
        if (!text) return report(node, key, wanted);
        if (auto problem = found->set(loaded_.configuration, *text); !problem.empty()) {
            report(node, key, problem);
        } else {
            sources_[key] = place_of(node);
        }
    }

    static std::optional<std::string> joined(const toml::node& node) {
        const auto* array = node.as_array();
        if (array == nullptr) return std::nullopt;
        std::string text;
        for (const auto& item : *array) {
            const auto value = item.value_exact<std::string>();
            if (!value) return std::nullopt;
            text += (text.empty() ? "" : ",") + *value;
        }
        return text;
    }

    void read_types(const toml::node& node) {
        const auto* types = node.as_table();
        if (types == nullptr)
            return report(node, std::string(kTypes), "must be tables, [workspaceTypes.NAME]");
        read_workspace_types(*types, loaded_.configuration.workspace_types,
                             [this](const toml::node& at, const std::string& key, const std::string& what) {
                                 report(at, key, what);
                             });
        note_overrides(*types, std::string(kTypes), 0);
    }

    // One line for each key that the file sets; env may hold secrets.
    void note_overrides(const toml::table& table, const std::string& prefix, int depth) {
        for (const auto& [name, node] : table) {
            const std::string key = prefix + "." + std::string(name.str());
            if (depth == 0) sources_[key] = place_of(node);
            const auto* inner = node.as_table();
            if (depth == 1 && name.str() == "env") {
                overrides_.push_back({key, std::string(kHidden), place_of(node)});
            } else if (inner != nullptr) {
                note_overrides(*inner, key, depth + 1);
            } else if (depth > 0) {
                overrides_.push_back({key, text_of(node), place_of(node)});
            }
        }
    }

    std::map<std::string, std::string> read_texts(const toml::node& node, const std::string& key) {
        std::map<std::string, std::string> texts;
        const auto* table = node.as_table();
        if (table == nullptr) {
            report(node, key, "must be a table of texts");
            return texts;
        }
        for (const auto& [name, entry] : *table) {
            const std::string whole = key + "." + std::string(name.str());
            if (auto value = entry.value_exact<std::string>()) {
                texts[std::string(name.str())] = *value;
                sources_[whole] = place_of(entry);
            } else {
                report(entry, whole, "must be a text");
            }
        }
        return texts;
    }

    void read_rewrites(const toml::node& node) {
        auto& rewrites = loaded_.configuration.rewrites;
        for (const auto& [path, value] : read_texts(node, std::string(kRewrites))) {
            const auto& entry = *node.as_table()->get(path);
            const std::string key = std::string(kRewrites) + "." + path;
            auto rewrite = model::parse_rewrite(path, value);
            if (!rewrite) {
                report(entry, key, rewrite.error());
                continue;
            }
            const auto& types = loaded_.configuration.workspace_types;
            if (!rewrite->upstream &&
                std::ranges::find(types, rewrite->type, &model::WorkspaceType::type) == types.end()) {
                report(entry, key, "leads to '" + rewrite->type + "', which is no workspace type");
            }
            std::erase_if(rewrites,
                          [&rewrite](const model::Rewrite& each) { return each.prefix == rewrite->prefix; });
            rewrites.push_back(std::move(*rewrite));
        }
        std::ranges::sort(rewrites, {}, &model::Rewrite::prefix);
    }

    std::string source_of(const std::string& key) const {
        const auto found = sources_.find(key);
        return found == sources_.end() ? "default" : found->second;
    }

    void show(const std::string& key, std::string value) {
        loaded_.shown.push_back({key, std::move(value), source_of(key)});
    }

    void show() {
        const auto& configuration = loaded_.configuration;
        for (const auto& setting : settings()) {
            const bool hidden = setting.secret && source_of(setting.key) != "default";
            show(setting.key, hidden ? std::string(kHidden) : setting.show(configuration));
        }
        for (const auto& [name, value] : configuration.docker.volume_driver_options)
            show(std::string(kDriverOptions) + "." + name, std::string(kHidden));
        for (const auto& type : configuration.workspace_types) {
            const auto key = std::string(kTypes) + "." + type.type;
            show(key, type.container_image + " on port " + std::to_string(type.default_port));
            for (const auto& each : overrides_) {
                if (each.key.starts_with(key + ".")) loaded_.shown.push_back(each);
            }
        }
        for (const auto& rewrite : configuration.rewrites)
            show(std::string(kRewrites) + "." + rewrite.prefix, model::to_text(rewrite));
    }

    [[noreturn]] void refuse() const {
        std::string message = "The configuration has mistakes:";
        for (const auto& each : problems_)
            message += "\n  " + each.field + " " + each.problem;
        base::Error error(base::ErrorCode::kInvalid, "invalid_configuration", message);
        // Adds in place: an assignment would move the error onto itself, and leave it without a word.
        for (const auto& each : problems_)
            std::move(error).with_field(each.field, each.problem);  // NOLINT(bugprone-use-after-move)
        throw error;
    }

    const Inputs& inputs_;
    Loaded loaded_;
    fs::path file_;
    std::map<std::string, std::string> sources_;  // by key; absent: the default
    std::vector<ShownSetting> overrides_;         // of workspace types
    std::vector<base::FieldProblem> problems_;
};

}  // namespace

std::vector<model::Rewrite> default_rewrites() {
    return {{"/spreadsheet", "spreadsheet", std::nullopt}, {"/vscode", "vscode", std::nullopt}};
}

Loaded load(const Inputs& inputs) {
    return Loader(inputs).run();
}

}  // namespace agentdb9::config
