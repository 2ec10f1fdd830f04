// SPDX-License-Identifier: MIT
#include "migration.hpp"

#include "backends.hpp"
#include "commands.hpp"
#include "interrupt.hpp"
#include "printable.hpp"
#include "progress_bar.hpp"
#include "report.hpp"

#include <vicinal/migrate/migrate.hpp>
#include <vicinal/migrate/report_text.hpp>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <thread>

namespace tool {

namespace {

/// One JSON object a line; the file is made when the first one comes.
class error_list {
public:
    explicit error_list(std::string path) : path_(std::move(path)) {}
    void operator()(vicinal::bad_record const& b) {
        if (path_.empty()) return;
        if (!file_.is_open()) file_.open(path_, std::ios::binary | std::ios::trunc);
        file_ << json_of({{"place", printable(b.place)},
                          {"id", printable(b.id)},
                          {"reason", printable(b.reason.message())}})
              << '\n';
        file_.flush();
        if (!file_) throw std::runtime_error("'" + path_ + "' could not be written");
    }

private:
    std::string path_;
    std::ofstream file_;
};

vicinal::verify how_much(std::string const& word) {
    return word == "every"  ? vicinal::verify::every_record
           : word == "none" ? vicinal::verify::nothing
                            : vicinal::verify::sample;
}

vicinal::absent_vector what_becomes(std::string const& word) {
    return word == "skip"          ? vicinal::absent_vector::skip
           : word == "placeholder" ? vicinal::absent_vector::placeholder
                                   : vicinal::absent_vector::keep;
}

vicinal::migrate_options options_of(migration_arguments const& a) {
    auto o = a.options;
    o.verify = how_much(a.verify);
    o.mapping.without_vector = what_becomes(a.without_vector);
    for (auto const& pair : a.rename) {
        auto const equals = pair.find('=');
        if (equals == 0 || equals == std::string::npos || equals + 1 == pair.size())
            throw std::runtime_error("--rename wants OLD=NEW, not '" + pair + "'");
        o.mapping.rename.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    }
    return o;
}

void print(vicinal::migration_report const& r, vicinal::migrate_options const& o) {
    std::printf("%s records in %.2f s, %s a second\n", with_commas(r.records).c_str(), r.seconds,
                with_commas(static_cast<std::uint64_t>(r.records_per_second())).c_str());
    if (o.dry_run) std::printf("nothing was written: --dry-run\n");
    if (o.resume || o.incremental)
        std::printf("already there: %s\n", with_commas(r.already_there).c_str());
    if (r.left_out > 0) std::printf("left out: %s\n", with_commas(r.left_out).c_str());
    for (auto const& loss : r.losses) std::printf("note: %s\n", printable(loss).c_str());
    for (auto const& b : r.bad_records)
        std::printf("passed over: %s%s%s\n", printable(b.place).c_str(),
                    b.id.empty() ? "" : (" '" + printable(b.id) + "'").c_str(),
                    (": " + printable(b.reason.message())).c_str());
    if (r.passed_over > r.bad_records.size())
        std::printf("  and %s more\n", with_commas(r.passed_over - r.bad_records.size()).c_str());
    if (!o.dry_run && o.verify != vicinal::verify::nothing) print_comparison(r);
}

std::string extended(std::string uri, char const* parameter, std::string const& value) {
    if (value.empty()) return uri;
    uri += uri.find('?') == std::string::npos ? '?' : '&';
    return uri + parameter + "=" + escaped_value(value);
}

} // namespace

std::shared_ptr<migration_arguments> add_migration_options(CLI::App& command) {
    auto a = std::make_shared<migration_arguments>();
    auto& o = a->options;
    o.threads = (std::min)(std::thread::hardware_concurrency(), 2U);
    command.add_option("--batch-size", o.batch_size, "Records read and written at a time")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    command.add_option("--threads", o.threads, "2: read and write at the same time")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    // `--verify` alone asks for everything. A flag: an option would take SOURCE for its value where
    // it stands in front of it.
    command
        .add_flag("--verify{every}", a->verify,
                  "Compare both sides afterwards, read anew: --verify every record, "
                  "--verify=sample about a thousand (the default), --verify=none")
        ->check(CLI::IsMember({"none", "sample", "every"}));
    command.add_flag("--resume", o.resume,
                     "Go on where an earlier run into the same sink was cut off");
    command.add_flag("--incremental", o.incremental,
                     "Write only what is new or has changed since an earlier run");
    command.add_flag("--dry-run", o.dry_run, "Read and check everything, write nothing");
    command.add_flag("--strict", o.strict, "Refuse where anything would be lost");
    command.add_flag("--skip-bad", a->skip_bad,
                     "Pass over records that can't be read or written, and list them");
    command.add_option("--errors", a->errors,
                       "As --skip-bad, and list all of them in this file, one JSON object a line");
    command.add_option("--where", o.mapping.where,
                       "Only records that match, as in \"year >= 2020 and lang = 'en'\"");
    command.add_option("--drop", o.mapping.drop, "A field that stays behind; may come again");
    command.add_option("--rename", a->rename, "OLD=NEW, a field's other name; may come again");
    command.add_option("--id-field", o.mapping.id_field, "The field that becomes the id");
    command.add_option("--id-prefix", o.mapping.id_prefix, "Text in front of every id");
    command
        .add_option("--without-vector", a->without_vector,
                    "Records that have no vector: keep them, skip them, or give them a placeholder "
                    "and the field no_vector")
        ->check(CLI::IsMember({"keep", "skip", "placeholder"}))
        ->capture_default_str();
    command.add_option("--vector", a->vector,
                       "Which of the source's vectors, where it has several");
    command.add_option("--namespace", a->name_space, "Which of the source's namespaces");
    command.add_flag("--json", a->json, "Print the report as JSON");
    return a;
}

int run_migration(migration_arguments const& a) {
    auto options = options_of(a);
    auto const text =
        extended(extended(source_uri(a.source), "vector", a.vector), "namespace", a.name_space);
    auto from = backends().open_source(text);
    auto incoming = from.describe().value();
    if (!a.json) std::printf("from %s\n", printable(incoming.description).c_str());
    std::fflush(stdout);
    // Only records without a vector: a new sink needs one dimension for its placeholders.
    if (options.mapping.without_vector == vicinal::absent_vector::placeholder && incoming.dim == 0)
        incoming.dim = 1;
    error_list errors(a.errors);
    if (a.skip_bad || !a.errors.empty()) options.on_bad_record = std::ref(errors);
    // Asked of a sink that makes nothing: one that is refused leaves nothing behind.
    if (options.strict) {
        auto lost = incoming.losses;
        for (auto& loss : backends().open_sink(sink_uri(a.sink), incoming, true).losses(incoming))
            lost.push_back(std::move(loss));
        vicinal::detail::lose_nothing(lost).value();
    }
    auto to = backends().open_sink(sink_uri(a.sink), incoming, options.dry_run);
    progress_bar bar;
    interrupt_guard const interrupt;
    options.on_progress = [&](vicinal::progress const& p) {
        bar(p);
        interrupt.check();
    };
    auto const report = vicinal::migrate(from, to, options);
    bar.finish();
    if (a.json)
        std::printf("%s\n", json_of(vicinal::as_fields(report)).c_str());
    else
        print(report, options);
    return report.ok() ? success : differs;
}

} // namespace tool
