// What the measurements of scale_run.h look like: a table for people, and JSON.
//
//   PrintTable({bare, one, many}, options);
//   Write(w, one);
#pragma once

#include <vector>

#include "json/writer.h"
#include "scale_run.h"

namespace korder::bench {

void PrintTable(const std::vector<Figures>& runs, const ScaleOptions& options);
void Write(json::Writer& w, const Figures& figures);

// --- sums ---

double Ratio(double a, double b);  // 0 for b = 0
double Each(double total, const Figures& figures);
double MiB(int64_t bytes);

absl::Duration CpuOf(const Figures& figures, const std::map<std::string, int>& processes);
Memory Total(const Figures& figures);
// Bytes by which the services together had grown for each ticket when all were Ready.
double Growth(const Figures& figures);

}  // namespace korder::bench
