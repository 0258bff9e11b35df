#!/usr/bin/env python3
"""Finds what can be changed in a C++ file, and writes the file so that a running program chooses which change it has.

  tests/museum/mutants.py --list services/quota-svc/ledger.cc       its mutants, one a line
  tests/museum/mutants.py --switch services/quota-svc/ledger.cc     the file with all of them behind a switch

`a < b` becomes `Less<12>(a, b)`, which is `a <= b` when the environment says KORDER_MUTANT=12 and `a < b` otherwise
(mutation.h). So all mutants of a file take one build, and one more run each. Lines stay what they were.

It reads the C++ that clang-format writes: binary operators have blanks around them, templates have not.
"""
import argparse
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_OF_A_FILE = 1000

TOKEN = re.compile(r"""
    (?P<blank>\s+|//[^\n]*|^[ ]*\#[^\n]*)
  | (?P<text>R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>\d[\w'.]*)
  | (?P<sign>->|::|<=>|&&|\|\||[-+*/%&|^=!<>]=|\+\+|--|<<|.)""", re.VERBOSE | re.MULTILINE)

# What binds weaker comes first. Name: the function of mutation.h.
PRECEDENCE = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "<<": 5, "+": 6, "-": 6, "*": 7,
              "/": 7, "%": 7}
BINARY = {"<": ("Less", "<="), "<=": ("LessOrEqual", "<"), ">": ("Greater", ">="), ">=": ("GreaterOrEqual", ">"),
          "==": ("Equal", "!="), "!=": ("Unequal", "=="), "+": ("Plus", "-"), "-": ("Minus", "+"),
          "*": ("Times", "/"), "/": ("DividedBy", "*"), "%": ("Modulo", "/"), "&&": ("Both", "||"), "||": ("Either", "&&")}
FUNCTIONS = {"min": ("Min", "max"), "max": ("Max", "min"), "any_of": ("AnyOf", "all_of"), "all_of": ("AllOf", "any_of"),
             "none_of": ("NoneOf", "any_of")}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "|=", "&="}
# An operand ends here.
ENDS = ASSIGNMENTS | {",", ";", "?", ":", "return", "case", "else", "throw"}
OPENERS, CLOSERS = "([{", ")]}"
# Values that the compiler needs, and declarations.
CONSTANT = {"constexpr", "static_assert", "enum", "template", "case", "using", "static"}
# What is logged is for people, and room made in advance changes nothing.
NO_MATTER = re.compile(r"^log::|\.reserve\(")
EXPRESSION = re.compile(r"^(?:\+\+|--|\*)?\w+(?:::\w+)*(?:<[\w:]+>)?(?:\(\)|\[\]|(?:\.|->)\w+)*(?:(?:=|\+=|-=|\|=)(?!default|delete|0$).+)?$")


@dataclass
class Token:
    text: str
    kind: str
    start: int
    end: int
    before: bool  # a blank stands before it
    after: bool
    match: int = -1  # of a bracket: the other one


@dataclass
class Mutant:
    number: int
    file: str
    line: int  # from 1
    column: int
    was: str  # the line
    change: str  # "< to <="
    which: int  # of those in the file that look the same, from 1

    def __str__(self):
        return f"{self.file}:{self.line}:{self.column}: {self.was}   [{self.change}]"


def read_tokens(code):
    tokens = []
    for found in TOKEN.finditer(code):
        if found.lastgroup == "blank":
            continue
        start, end = found.span()
        tokens.append(Token(found.group(), found.lastgroup, start, end, start == 0 or code[start - 1].isspace(),
                            end >= len(code) or code[end].isspace()))
    stack = []
    for index, token in enumerate(tokens):
        if token.kind != "sign":
            continue
        if token.text in OPENERS or (token.text == "<" and not token.after):
            stack.append(index)
        elif token.text == ">" and not token.before and stack and tokens[stack[-1]].text == "<":
            pair(tokens, stack.pop(), index)
        elif token.text in CLOSERS:
            while stack and tokens[stack[-1]].text == "<":
                stack.pop()
            pair(tokens, stack.pop(), index)
    return tokens


def pair(tokens, first, last):
    tokens[first].match, tokens[last].match = last, first


def is_block(tokens, opener):
    """Of a brace: whether it holds statements, not values."""
    return tokens[opener].text == "{" and tokens[opener].before


class Switch:
    """The mutants of one file, and the edits that put them in."""

    def __init__(self, file, code, first_number):
        self.file, self.code, self.first = file, code, first_number
        self.lines = code.splitlines()
        self.tokens = read_tokens(code)
        self.mutants = []
        self.edits = []  # (position, 0 closing or 1 opening, nesting, text, end)
        self._find()

    def text(self):
        out, at = [], 0
        for position, _, _, _, text, end in sorted(self.edits):
            out += [self.code[at:position], text]
            at = max(at, end)
        out.append(self.code[at:])
        return f'#include "museum/mutation.h"\n#line 1 "{self.file}"\n{"".join(out)}'

    # --- edits ---

    def _add(self, token, change):
        number = self.first + len(self.mutants)
        line = self.code.count("\n", 0, token.start) + 1
        column = token.start - self.code.rfind("\n", 0, token.start)
        was = self.lines[line - 1].strip()
        same = sum((mutant.was, mutant.change) == (was, change) for mutant in self.mutants)
        self.mutants.append(Mutant(number, self.file, line, column, was, change, same + 1))
        return number

    def _wrap(self, start, end, opening, closing, inner=1):
        """Of wraps that begin or end together the longer one is outside; of equal ones the one with the lower `inner`."""
        self.edits.append((start, 1, -end, inner, opening, start))
        self.edits.append((end, 0, -start, -inner, closing, end))

    def _replace(self, token, text):
        self.edits.append((token.start, 2, 0, 0, text, token.end))

    def _function(self, name, number):
        return f"::korder::mutation::{name}<{number}>("

    # --- where ---

    def _left(self, index, precedence):
        at = index - 1
        while at >= 0:
            token = self.tokens[at]
            if token.match >= 0 and token.match < at:
                if token.text == "}" and is_block(self.tokens, token.match):
                    break
                at = token.match - 1
                continue
            if token.kind in ("sign", "name") and (
                    token.text in ENDS or token.text in OPENERS or self._binds(at) < precedence):
                break
            at -= 1
        return self.tokens[at + 1].start

    def _right(self, index, precedence):
        at = index + 1
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.match > at:
                at = token.match + 1
                continue
            if token.kind in ("sign", "name") and (
                    token.text in ENDS or token.text in CLOSERS or self._binds(at) <= precedence):
                break
            at += 1
        return self.tokens[at - 1].end

    def _binds(self, index):
        token = self.tokens[index]
        binary = token.text in PRECEDENCE and token.before and token.after and token.match < 0
        return PRECEDENCE[token.text] if binary else 100

    def _statement(self, index):
        """The first token of the statement that this one is in, at its depth."""
        at = index - 1
        while at >= 0:
            token = self.tokens[at]
            if token.text in OPENERS or token.text == ";" or (
                    token.text == "}" and is_block(self.tokens, token.match)):
                break
            if token.text == ":" and self._is_label(at):
                break
            at = token.match - 1 if 0 <= token.match < at else at - 1
        return at + 1

    def _is_label(self, colon):
        at = colon - 1
        while at >= 0 and (self.tokens[at].text == "::" or self.tokens[at].kind == "name"):
            if self.tokens[at].text in ("case", "default"):
                return True
            at -= 1
        return False

    def _is_constant(self, index):
        """Whether the compiler must know the value, so that it cannot be switched."""
        at, words = index, CONSTANT
        while True:
            begin = self._statement(at)
            if any(token.text in words for token in self.tokens[begin:at + 1]):
                return True
            if begin == 0:
                return False
            at = begin - 1
            if self.tokens[at].text in ";}:":
                # What the statements are in begins at the brace before them.
                at = self._enclosing(at)
                if at < 0:
                    return False
            if self.tokens[at].text == "{":
                words = {"constexpr"}

    def _enclosing(self, index):
        """The opening bracket that this token is in; -1 without one."""
        at = index
        while at >= 0 and self.tokens[at].text not in OPENERS:
            at = self.tokens[at].match - 1 if 0 <= self.tokens[at].match < at else at - 1
        return at

    def _in_template_list(self, index):
        at = index
        while at > 0 and self.tokens[at].text not in (";", "{", "}", "("):
            if self.tokens[at].text == "<" and self.tokens[at].match > index:
                return True
            at -= 1
        return False

    # --- what ---

    def _find(self):
        logged = -1
        for index, token in enumerate(self.tokens):
            if token.text == "log" and self.tokens[index + 1].text == "::" and self.tokens[index + 3].match > index:
                logged = self.tokens[index + 3].match
            if index <= logged:
                continue
            if token.text in BINARY and self._binds(index) < 100:
                self._binary(index)
            elif token.text == "?":
                self._flip(index, self._left(index, 0), token.start, "condition of ?: to its opposite")
            elif token.text in ("if", "while") and self.tokens[index + 1].text == "(":
                self._condition(index)
            elif token.text == "!" and not token.after:
                self._negation(index)
            elif token.text in ("true", "false") and not self._is_constant(index):
                number = self._add(token, f"{token.text} to {'false' if token.text == 'true' else 'true'}")
                self._wrap(token.start, token.end, self._function("Flip", number), ")")
            elif (token.kind == "number" and self._in_function(index) and not self._is_constant(index) and
                  not self._in_template_list(index)):
                number = self._add(token, f"{token.text} to {token.text} + 1")
                self._wrap(token.start, token.end, self._function("More", number), ")")
            elif token.text in FUNCTIONS and self.tokens[index - 1].text == "::" and self.tokens[index - 2].text == "std":
                self._call(index)
            elif token.text == ";":
                self._left_out(index)

    def _binary(self, index):
        token = self.tokens[index]
        if self._is_constant(index) or self.tokens[index + 1].text in ("{", ")", ","):
            return
        name, other = BINARY[token.text]
        start = self._left(index, PRECEDENCE[token.text])
        end = self._right(index, PRECEDENCE[token.text])
        literal = {self.tokens[index - 1].kind, self.tokens[index + 1].kind}
        if token.text == "+" and "text" in literal:
            return  # strings
        number = self._add(token, f"{token.text} to {other}")
        if token.text in ("&&", "||"):
            begin, between, close = "[&]() -> bool { return static_cast<bool>(", "); }, ", "); })"
            self._wrap(start, end, self._function(name, number) + begin, close)
            self._replace(token, between + begin)
        else:
            self._wrap(start, end, self._function(name, number), ")")
            self._replace(token, ",")

    def _flip(self, index, start, end, change):
        inside = [at for at, token in enumerate(self.tokens) if start <= token.start < end]
        if not inside or self._is_constant(index):
            return
        outermost = min((self._binds(at) for at in inside if self._depth_is(at, inside[0])), default=100)
        if outermost == 3 or (outermost == 100 and self.tokens[inside[0]].text == "!"):
            return  # the same as the mutant of == or !
        last = self.tokens[inside[-1]].end
        number = self._add(self.tokens[index], change)
        self._wrap(start, last, self._function("Flip", number) + "static_cast<bool>(", "))", inner=0)

    def _depth_is(self, index, first):
        """Whether no bracket opens between the two that does not close."""
        at = first
        while at < index:
            if self.tokens[at].match > at:
                at = self.tokens[at].match
                if at >= index:
                    return False
            at += 1
        return True

    def _condition(self, index):
        opener, closer = index + 1, self.tokens[index + 1].match
        begin, assigned = opener + 1, None
        for at in range(opener + 1, closer):
            if not self._depth_is(at, opener + 1):
                continue
            if self.tokens[at].text == ";":
                begin, assigned = at + 1, None
            elif self.tokens[at].text == "=":
                assigned = at
        end = self.tokens[closer].start
        if assigned is None:
            self._flip(index, self.tokens[begin].start, end, f"{self.tokens[index].text} to its opposite")
        elif self.tokens[index].text == "if":
            number = self._add(self.tokens[index], "if to its opposite")
            name = self.tokens[assigned - 1].text
            self.edits.append((end, 0, 0, 0, f"; {self._function('Flip', number)}static_cast<bool>({name}))", end))

    def _negation(self, index):
        if self._is_constant(index):
            return
        at = index + 1
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.match > at and token.text in "([<":
                at = token.match
            elif token.text == "{" and token.match > at and not token.before:
                at = token.match
            elif token.text in ("*", "!") and at == index + 1 or token.text in ("::", ".", "->") or token.kind == "name":
                pass
            else:
                break
            at += 1
        number = self._add(self.tokens[index], "! left out")
        self._wrap(self.tokens[index].start, self.tokens[at - 1].end, self._function("Flip", number), ")")

    def _call(self, index):
        if self._is_constant(index):
            return
        name, other = FUNCTIONS[self.tokens[index].text]
        number = self._add(self.tokens[index], f"{self.tokens[index].text} to {other}")
        token, after = self.tokens[index - 2], self.tokens[index + 1]
        end = self.tokens[index].end
        if after.text == "<":  # std::min<Nanos>(
            self.edits.append((token.start, 2, 0, 0, f"::korder::mutation::{name}<{number}, ", after.end))
        else:
            self.edits.append((token.start, 2, 0, 0, f"::korder::mutation::{name}<{number}>", end))

    def _left_out(self, index):
        begin = self._statement(index)
        if begin >= index or self.tokens[self._enclosing(begin - 1)].text != "{":
            return
        text = self.code[self.tokens[begin].start:self.tokens[index].start]
        outline, at = "", begin
        words = []
        while at < index:
            token = self.tokens[at]
            if token.kind == "name" and words and words[-1] == at - 1:
                return  # two words: a declaration, or return with a value
            if token.kind == "name":
                words = [at]
            outline += token.text
            if token.match > at and token.text != "<":
                at = token.match
                outline += self.tokens[at].text
            at += 1
        alone = outline in ("return", "break", "continue")
        if (not alone and not EXPRESSION.match(outline)) or NO_MATTER.search(text) or re.match(r"^\w+$", outline) and not alone:
            return
        if outline.startswith("ASSIGN_OR_RETURN") or self._is_constant(index) or not self._in_function(begin):
            return
        number = self._add(self.tokens[begin], "left out")
        self._wrap(self.tokens[begin].start, self.tokens[index].end, f"if (!::korder::mutation::LeftOut<{number}>()) ", "")

    def _in_function(self, index):
        """Not in a class or a namespace."""
        at = index - 1
        while at >= 0:
            if self.tokens[at].match >= 0 and self.tokens[at].match < at:
                at = self.tokens[at].match - 1
                continue
            if self.tokens[at].text == "{":
                head = [token.text for token in self.tokens[self._statement(at):at]]
                return not {"class", "struct", "namespace"} & set(head)
            at -= 1
        return False


def subjects():
    with open(ROOT / "tests" / "museum" / "subjects.toml", "rb") as file:
        return tomllib.load(file)["subject"]


def all_files():
    return [file for subject in subjects() for file in subject["files"]]


def switch_of(file):
    files = all_files()
    first = MOST_OF_A_FILE * (1 + (files.index(file) if file in files else len(files)))
    return Switch(file, (ROOT / file).read_text(), first)


def print_cmake():
    """The subjects as calls of the function in CMakeLists.txt."""
    for subject in subjects():
        print(f"korder_mutants({subject['name']} TESTS {' '.join(subject['tests'])} FILES {' '.join(subject['files'])})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", metavar="FILE")
    parser.add_argument("--switch", metavar="FILE")
    parser.add_argument("--cmake", action="store_true")
    arguments = parser.parse_args()
    if arguments.cmake:
        print_cmake()
    elif arguments.list:
        for mutant in switch_of(arguments.list).mutants:
            print(mutant)
    elif arguments.switch:
        sys.stdout.write(switch_of(arguments.switch).text())
    else:
        parser.error("--list or --switch")


if __name__ == "__main__":
    main()
