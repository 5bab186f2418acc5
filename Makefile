# Every target is one command of tools/build.py, so `python -m tools.build book` does the same without make.
# Works with GNU make 3.81 and later.

PYTHON ?= python3
PORT ?= 8000
ARGS ?=

ifeq ($(OS),Windows_NT)
VENV_PYTHON := .venv/Scripts/python.exe
else
VENV_PYTHON := .venv/bin/python
endif

.DEFAULT_GOAL := help
.PHONY: help setup book pages watch pdf epub test check execute lab serve lighthouse audit fork clean distclean

help:
	@echo "make book       set up, execute and build the book in _build/html (only what is needed)"
	@echo "make pages      while you write: build the pages alone, in seconds; make book completes them"
	@echo "make watch      while you write: serve the book, and build a page again whenever you save (PORT=8000)"
	@echo "make pdf        as make book, and say where the book as PDF is; make epub likewise"
	@echo "make test       build the book and run every test and check"
	@echo "make lab        open JupyterLab on the chapters"
	@echo "make serve      serve the built book on this machine (PORT=8000)"
	@echo "make fork       make a chapter your own: CHAPTER=2 EXPORTER=DEU PARTNER=KAZ TO=../my-project"
	@echo "make lighthouse measure the built book with Lighthouse, which comes from npm"
	@echo "make audit      ask what is known against the packages (needs a network)"
	@echo "make execute    execute the notebooks in place, to commit their outputs"
	@echo "make check      check the committed notebooks and the built book"
	@echo "make setup      only create .venv and install the locked packages"
	@echo "make clean      remove what was built"
	@echo "make distclean  remove what was built, and .venv"
	@echo "PYTHON=python3.12 chooses the Python that .venv is made with; ARGS=... is passed on to pytest or JupyterLab."

setup:
	@$(PYTHON) -m tools.build setup

book pages pdf epub check audit: setup
	@$(VENV_PYTHON) -m tools.build $@

test execute lab: setup
	@$(VENV_PYTHON) -m tools.build $@ $(ARGS)

watch: setup
	@$(VENV_PYTHON) -m tools.build watch --port $(PORT)

serve:
	@$(PYTHON) -m tools.build serve --port $(PORT)

lighthouse:
	@$(PYTHON) -m tools.build lighthouse $(ARGS)

FORK_PARAMETERS := EXPORTER PARTNER FIRST SECOND COMPANY YEAR ORIGIN EVENT TO
lower = $(subst EXPORTER,exporter,$(subst PARTNER,partner,$(subst FIRST,first,$(subst SECOND,second,$(subst \
	COMPANY,company,$(subst YEAR,year,$(subst ORIGIN,origin,$(subst EVENT,event,$(subst TO,to,$(1))))))))))

fork: setup
	@$(VENV_PYTHON) -m tools.build fork $(CHAPTER) $(foreach name,$(FORK_PARAMETERS),$(if $($(name)),--$(call \
	lower,$(name)) "$($(name))")) $(ARGS)

clean distclean:
	@$(PYTHON) -m tools.build $@
