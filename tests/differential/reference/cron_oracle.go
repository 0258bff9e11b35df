package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// The slow and obvious way to know when a cron expression fires, after the rule in cron.h: walk
// through every minute of real time, look at what the clock on the wall shows, and ask for each
// minute of that clock whether the expression names it. Nothing is computed that can be looked up
// in a calendar day by day; the clock is Go's.

// transitions returns the instants in [From, To) at which the clocks of the zone are changed.
func transitions(q question) (answer, error) {
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		return answer{}, err
	}
	var a answer
	for at := time.Unix(q.From, 0).In(zone); ; {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Unix() >= q.To {
			return a, nil
		}
		_, before := end.Add(-time.Second).In(zone).Zone()
		_, after := end.In(zone).Zone()
		if before != after {
			a.Times = append(a.Times, end.Unix())
		}
		at = end.In(zone)
	}
}

// firings returns every firing in [From, To).
func firings(q question) (answer, error) {
	text, name := q.Text, q.Zone
	for _, prefix := range []string{"TZ=", "CRON_TZ="} {
		if strings.HasPrefix(text, prefix) {
			name, text, _ = strings.Cut(strings.TrimPrefix(text, prefix), " ")
		}
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return answer{}, err
	}
	e, err := parseExpression(text)
	if err != nil {
		return answer{}, err
	}
	var a answer
	for _, m := range walk(name, zone, q.From, q.To) {
		for _, shown := range m.comes {
			if e.names(shown) {
				a.Times = append(a.Times, m.at)
				break
			}
		}
	}
	return a, nil
}

// A minute of real time, and the minutes of the clock on the wall that come with it: mostly one;
// none when the clock showed it before; all that the clock leapt over.
type minute struct {
	at    int64
	comes []time.Time
}

var lastWalk struct {
	name     string
	from, to int64
	minutes  []minute
}

// walk looks at the clock in every minute of [from, to). Many questions in a row are about the same.
func walk(name string, zone *time.Location, from, to int64) []minute {
	if lastWalk.name == name && lastWalk.from == from && lastWalk.to == to {
		return lastWalk.minutes
	}
	// What the clock showed in the day before counts: it may show it again.
	const day = 26 * 60 * 60
	var minutes []minute
	shown := map[int64]bool{}
	var last time.Time
	for at := from - day; at < to; at += 60 {
		m := minute{at: at}
		now := wallClock(time.Unix(at, 0).In(zone))
		for missed := last.Add(time.Minute); !last.IsZero() && missed.Before(now); missed = missed.Add(time.Minute) {
			m.comes = append(m.comes, missed)
		}
		if !shown[now.Unix()] {
			m.comes = append(m.comes, now)
		}
		shown[now.Unix()] = true
		delete(shown, now.Unix()-3*day)
		last = now
		if at >= from {
			minutes = append(minutes, m)
		}
	}
	lastWalk.name, lastWalk.from, lastWalk.to, lastWalk.minutes = name, from, to, minutes
	return minutes
}

// What the clock on the wall shows, as if it were in UTC: all minutes exist there.
func wallClock(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}

type expression struct {
	minutes, hours, months map[int]bool
	// Each rule of the two day fields; a field without a rule lets every day pass.
	byDate, byWeekday []func(day time.Time) bool
	// The days are the same for all minutes of a day.
	day     time.Time
	dayFits bool
}

func (e *expression) names(minute time.Time) bool {
	return e.minutes[minute.Minute()] && e.hours[minute.Hour()] && e.months[int(minute.Month())] && e.dayNamed(minute)
}

func (e *expression) dayNamed(minute time.Time) bool {
	day := time.Date(minute.Year(), minute.Month(), minute.Day(), 0, 0, 0, 0, time.UTC)
	if !day.Equal(e.day) {
		e.day = day
		date, weekday := anyOf(e.byDate, day), anyOf(e.byWeekday, day)
		switch {
		case e.byDate == nil:
			e.dayFits = e.byWeekday == nil || weekday
		case e.byWeekday == nil:
			e.dayFits = date
		default:
			e.dayFits = date || weekday
		}
	}
	return e.dayFits
}

func anyOf(rules []func(time.Time) bool, day time.Time) bool {
	for _, rule := range rules {
		if rule(day) {
			return true
		}
	}
	return false
}

var macros = map[string]string{
	"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
}

var words = map[string]int{
	"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6, "JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12,
	"SUN": 0, "MON": 1, "TUE": 2, "WED": 3, "THU": 4, "FRI": 5, "SAT": 6,
}

func number(text string) (int, error) {
	if n, ok := words[text]; ok {
		return n, nil
	}
	return strconv.Atoi(text)
}

func parseExpression(text string) (*expression, error) {
	text = strings.TrimSpace(text)
	if m, ok := macros[text]; ok {
		text = m
	}
	fields := strings.Fields(strings.ToUpper(text))
	if len(fields) != 5 {
		return nil, fmt.Errorf("%d fields", len(fields))
	}
	e := &expression{}
	var err error
	if e.minutes, err = values(fields[0], 0, 59); err != nil {
		return nil, err
	}
	if e.hours, err = values(fields[1], 0, 23); err != nil {
		return nil, err
	}
	if e.months, err = values(fields[3], 1, 12); err != nil {
		return nil, err
	}
	if e.byDate, err = dayRules(fields[2], dateRule); err != nil {
		return nil, err
	}
	e.byWeekday, err = dayRules(fields[4], weekdayRule)
	return e, err
}

// values returns what a list of numbers, ranges and steps stands for, by counting up on a ring.
func values(list string, min, max int) (map[int]bool, error) {
	named := map[int]bool{}
	for _, item := range strings.Split(list, ",") {
		span, every, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(every); err != nil {
				return nil, err
			}
		}
		from, to, ranged := strings.Cut(span, "-")
		if span == "*" {
			from, to, ranged = strconv.Itoa(min), strconv.Itoa(max), true
		}
		first, err := number(from)
		if err != nil {
			return nil, err
		}
		last := first
		if ranged {
			if last, err = number(to); err != nil {
				return nil, err
			}
		} else if stepped {
			last = max
		}
		value := first
		for i := 0; ; i++ {
			if i%step == 0 {
				named[value] = true
			}
			if value == last {
				break
			}
			if value++; value > max {
				value = min
			}
		}
	}
	return named, nil
}

// dayRules returns nil when an item of the field lets every day pass.
func dayRules(list string, rule func(item string) (func(time.Time) bool, error)) ([]func(time.Time) bool, error) {
	var rules []func(time.Time) bool
	for _, item := range strings.Split(list, ",") {
		if item == "*" || item == "?" {
			return nil, nil
		}
		r, err := rule(item)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func daysOfMonth(day time.Time) []time.Time {
	var days []time.Time
	for d := day.AddDate(0, 0, 1-day.Day()); d.Month() == day.Month(); d = d.AddDate(0, 0, 1) {
		days = append(days, d)
	}
	return days
}

func isWorkday(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

func workdays(day time.Time) []time.Time {
	var days []time.Time
	for _, d := range daysOfMonth(day) {
		if isWorkday(d) {
			days = append(days, d)
		}
	}
	return days
}

func dateRule(item string) (func(time.Time) bool, error) {
	switch {
	case item == "LW":
		return func(day time.Time) bool {
			all := workdays(day)
			return day.Equal(all[len(all)-1])
		}, nil
	case item == "L" || strings.HasPrefix(item, "L-"):
		before := 0
		if item != "L" {
			var err error
			if before, err = strconv.Atoi(item[2:]); err != nil {
				return nil, err
			}
		}
		return func(day time.Time) bool { return len(daysOfMonth(day))-day.Day() == before }, nil
	case strings.HasSuffix(item, "W"):
		meant, err := strconv.Atoi(strings.TrimSuffix(item, "W"))
		if err != nil {
			return nil, err
		}
		return func(day time.Time) bool {
			if meant > len(daysOfMonth(day)) {
				return false
			}
			near := workdays(day)
			sort.SliceStable(near, func(i, j int) bool { return distance(near[i], meant) < distance(near[j], meant) })
			return day.Equal(near[0])
		}, nil
	}
	named, err := values(item, 1, 31)
	return func(day time.Time) bool { return named[day.Day()] }, err
}

func distance(day time.Time, meant int) int { return max(day.Day()-meant, meant-day.Day()) }

func weekdayRule(item string) (func(time.Time) bool, error) {
	if name, ok := strings.CutSuffix(item, "L"); ok {
		weekday, err := number(name)
		return func(day time.Time) bool {
			return int(day.Weekday()) == weekday%7 && day.AddDate(0, 0, 7).Month() != day.Month()
		}, err
	}
	if name, ordinal, ok := strings.Cut(item, "#"); ok {
		weekday, err := number(name)
		if err != nil {
			return nil, err
		}
		nth, err := strconv.Atoi(ordinal)
		return func(day time.Time) bool {
			count := 0
			for _, d := range daysOfMonth(day) {
				if int(d.Weekday()) == weekday%7 && !d.After(day) {
					count++
				}
			}
			return int(day.Weekday()) == weekday%7 && count == nth
		}, err
	}
	// 7 is another name of Sunday: before Monday when a range begins with it, after Saturday when one ends with it.
	span, step, _ := strings.Cut(item, "/")
	from, to, _ := strings.Cut(span, "-")
	saturday := 6
	switch {
	case from == "7" && (to == "7" || to == ""):
		item = strings.Replace(item, span, "0", 1)
		if to == "7" && step != "" {
			item = "0"
		}
	case from == "7":
		item = strings.Replace(item, "7", "0", 1)
	case to == "7":
		saturday = 7
	}
	named, err := values(item, 0, saturday)
	return func(day time.Time) bool { return named[int(day.Weekday())] || day.Weekday() == time.Sunday && named[7] }, err
}
