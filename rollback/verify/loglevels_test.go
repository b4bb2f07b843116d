package verify_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// levelLines are lines whose level is hard to find.
var levelLines = map[string]map[string]string{
	"stack traces with short names, or without a name": {
		"java.lang.Exception: boom":                                            saysError,
		"Exception in thread \"main\" java.lang.Exception: x":                  saysError,
		"Exception in thread \"main\" com.shop.PaymentDeclined: card":          saysError,
		"Unhandled exception. System.Exception: boom":                          saysError,
		"Unhandled exception. Shop.PaymentDeclined: card":                      saysError,
		"System.Exception: boom":                                               saysError,
		"java.lang.Error: x":                                                   saysError,
		"Exception: boom":                                                      saysError,
		"Uncaught Error: boom":                                                 saysError,
		"Uncaught (in promise) TypeError: x is not a function":                 saysError,
		"binascii.Error: Incorrect padding":                                    saysError, // Python
		"+ Exception Group Traceback (most recent call last):":                 saysError,
		"com.shop.PaymentDeclined: card\n\tat com.shop.Pay.charge(Pay.java:3)": saysError,
		"com.shop.PaymentDeclined: card\nof a customer\n\tat java.base/java.lang.Thread.run(Thread.java:829)":               saysError,
		"Shop.PaymentDeclined: card\n   at Shop.Pay.<Charge>d__3.MoveNext() in /src/Pay.cs:line 3":                          saysError,
		"PaymentDeclined: card\n    at async pay (file:///var/task/index.mjs:3:5)":                                          saysError,
		"no INFO record: com.shop.Declined\ncom.shop.Declined: no INFO record\n\tat com.shop.Pay.charge(Pay.java:3)":        saysError, // Lambda's Java runtime
		"03:04:05.006 [main] WARN com.shop.Pay - retried\njava.io.IOException: reset\n\tat com.shop.Pay.charge(Pay.java:3)": saysNone,  // Logback
		"2026-11-22 03:04:05 8f7e5b1c-0d2a-4b3c-9e8f-1a2b3c4d5e6f WARN  Pay:12 - retried\njava.io.IOException: reset":       saysNone,  // Log4j
		"Nov 22, 2026 3:04:05 AM com.shop.Pay charge\nWARNING: retried\njava.io.IOException: reset":                         saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\twarn\tretried\nSystem.Exception: reset\n   at Shop.Pay.Charge(Order order)":        saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tTRACE\tTrace: here\n    at handler (/var/task/index.js:3:5)":                       saysNone,
		"\tat com.shop.Pay.charge(Pay.java:3)": saysNoLevel,
		"Two meetings\n  at the office (noon)": saysNoLevel,
		"ErrorHandler: ready":                  saysNoLevel,
		"lastError: none":                      saysNoLevel,
		"Exceptions: 0":                        saysNoLevel,
	},
	"a logger's level behind Lambda's": {
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t2026-11-22 03:04:05.006\tERROR\t/src/pay.ts:3\tdeclined":                                                            saysError, // tslog
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\ttimestamp=2026-11-22T03:04:05.006Z level=ERROR fiber=#0 message=x":                                                  saysError, // Effect
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t[2026-11-22T03:04:05.006] [ERROR] default - x":                                                                      saysError, // log4js
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t\x1b[91m[2026-11-22T03:04:05.006] [FATAL] default - \x1b[39mx":                                                      saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t[03:04:05.006] ERROR (8): declined":                                                                                 saysError, // pino-pretty
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t2026-11-22T03:04:05.006Z [shop] error: declined":                                                                    saysError, // winston
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t2026-11-22 03:04:05.006\terror\tdeclined":                                                                           saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t[Nest] 8  - 11/22/2026, 3:04:05 AM   ERROR [Pay] declined":                                                          saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\tmsg=\"no answer\" severity=\"critical\" order=12":                                                                   saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t[ERROR] declined":                                                                                                   saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tinfo\t[03:04:05 ERR] declined":                                                                                            saysError, // Serilog
		"2026-11-22T03:04:05.006Z\t8f7e\tinfo\t2026-11-22 03:04:05.006 +00:00 [FTL] no database":                                                                   saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tinfo\t2026-11-22 03:04:05.0060|ERROR|Shop.Pay|declined":                                                                   saysError, // NLog
		"2026-11-22T03:04:05.006Z\t8f7e\tinfo\tfail: Shop.Pay[0]\n      declined":                                                                                  saysError, // .NET
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t{\"level\":\"error\",\"message\":\"cut of":                                                                          saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t{ level: 'error', message: 'declined' }":                                                                            saysError, // console.log of an object
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t{\n  time: 1,\n  level: 'Error',\n  message: 'declined'\n}":                                                         saysError,
		"{'time': 1, 'severity': 'error', 'message': 'declined'}":                                                                                                  saysError, // Python's print
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\tERROR: declined":                                                                                                    saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\tFATAL | no database":                                                                                                saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t{ level: 'info', message: 'the last had level: error' }":                                                            saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t{ message: 'declined', order: { level: 'error' } }":                                                                 saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\tErrors: 0":                                                                                                          saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tERROR\tdeclined\t{\"level\":\"info\"}":                                                                                    saysError,
		`{"level":"\u001b[31merror\u001b[39m","message":"declined"}`:                                                                                               saysError, // winston
		"2026-11-22T03:04:05.006Z\t8f7e\tERROR\t[INFO] level=info":                                                                                                 saysError,
		`{"timestamp":"2026-11-22T03:04:05.006Z","level":"INFO","requestId":"8f7e","message":"2026-11-22 03:04:05.006\tERROR\t/src/pay.ts:3\tdeclined"}`:           saysError,
		`{"timestamp":"2026-11-22T03:04:05.006Z","level":"INFO","requestId":"8f7e","message":"timestamp=2026-11-22T03:04:05.006Z level=ERROR fiber=#0 message=x"}`: saysError,
		`{"timestamp":"2026-11-22T03:04:05.006Z","level":"INFO","message":"[2026-11-22T03:04:05.006] [ERROR] default - x"}`:                                        saysError,
		`{"timestamp":"2026-11-22T03:04:05.006Z","level":"Information","requestId":"8f7e","traceId":"1","message":"[03:04:05 ERR] declined"}`:                      saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t2026-11-22 03:04:05.006\tINFO\t/src/pay.ts:3\tno\tERROR\tfound":                                                     saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\ttimestamp=2026-11-22T03:04:05.006Z level=INFO fiber=#0 message=\"level=ERROR [ERROR]\"":                             saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t[2026-11-22T03:04:05.006] [WARN] default - [ERROR]":                                                                 saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tinfo\t[03:04:05 INF] ERROR is a word":                                                                                     saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tinfo\tinfo: Shop.Pay[0]\n      [ERROR]":                                                                                   saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\tthe logger starts, with level=error":                                                                                saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\tERROR pages: 0":                                                                                                     saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\tat 03:04:05 ERROR was found":                                                                                        saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tinfo\ttrace\tERROR\tis a word":                                                                                            saysNone,
		`{"timestamp":"2026-11-22T03:04:05.006Z","level":"INFO","requestId":"8f7e","message":"no ERROR, with level=ERROR and [ERROR]"}`:                            saysNone,
		`{"timestamp":"2026-11-22T03:04:05.006Z","level":"INFO","requestId":"8f7e","message":"[2026-11-22T03:04:05.006] [INFO] default - ERROR"}`:                  saysNone,
		`{"level":"info","message":"[ERROR] is what the other one says","service":"shop","timestamp":"2026-11-22T03:04:05Z"}`:                                      saysNone, // Powertools
	},
	"tags with the name of a level": {
		"[Config] ERROR could not load": saysError,
		"[Config] could not load\njava.io.IOException: reset\n\tat com.shop.Pay.charge(Pay.java:3)": saysError,
		"config: could not load\njava.io.IOException: reset\n\tat com.shop.Pay.charge(Pay.java:3)":  saysError,
		"Config: ERROR could not load":                            saysError,
		"verbose: no ERROR was found":                             saysNone,
		"[http] ERROR x":                                          saysError,
		"03:04:05.006 [http] ERROR com.foo.Bar - x":               saysError, // Logback
		"[verbose] [ERROR] x":                                     saysError,
		"[verbose] [error] x":                                     saysError,
		"2026-11-22T03:04:05.006Z [http] error: declined":         saysError, // winston
		"[http] error: declined":                                  saysError,
		"2026-11-22 03:04:05.006 [trace] [8] FATAL x":             saysError,
		"2026-11-22 03:04:05.006 [http] 8 --- ERROR x":            saysError,
		"2026-11-22T03:04:05.006Z\tconfig\tERROR\tcould not load": saysError,
		"[http] com.foo.Bar ERROR - x":                            saysError,
		"[info] [http] ERROR is a word":                           saysNone,
		"[trace] [info] ERROR is a word":                          saysNone,
		"[success] WARN no ERROR":                                 saysNone,
		"[alert] INFO sent to [ERROR]":                            saysNone,
		"[http] GET /pay returned ERROR":                          saysNone,
		"[verbose] no ERROR was found":                            saysNone,
		"2026-11-22 03:04:05 [debug    ] ERROR is a word":         saysNone, // structlog
		"03:04:05.006 [http] INFO com.foo.Bar - [ERROR]":          saysNone,
		"[Config] loaded":                                         saysNone,
		"FINE: ERROR is a word":                                   saysNone,
	},
	"levels that the filter could miss": {
		"time=2026-11-22T03:04:05Z level=Error msg=declined": saysError,
		"2026-11-22T03:04:05.006Z\tcrit\tdeclined":           saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tcrit\tdeclined":     saysError,
		`{"message":"declined","severity":500}`:              saysError, // Monolog
		`{"message":"declined","severity": 600}`:             saysError,
		`{"message":"declined","level":400}`:                 saysError,
		`{"message": "declined", "level": 550}`:              saysError,
		`{"level":40000,"message":"declined"}`:               saysError, // Logback
		`{"lvl":50,"msg":"declined"}`:                        saysError,
		"[03:04:05 err] declined":                            saysError, // Serilog
		"[2026-11-22 03:04:05.006 +00:00 Error] declined":    saysError,
		"\x1b[31mErr\x1b[0m: declined":                       saysError,
		`{"message":"retried after 500","severity":300}`:     saysNone,
		`{"message":"served in 500","level":200}`:            saysNone,
		"[03:04:05 wrn] retried":                             saysNone,
		"[03:04:05 errors] 0":                                saysNoLevel,
		`{"status":500,"opacity":500}`:                       saysNoLevel,
	},
}

// Every name of an error level is one wherever a logger writes it, and AWS lets it
// through.
func TestNamesOfErrorLevels(t *testing.T) {
	t.Parallel()
	names := strings.Fields("error Error ERROR err Err ERR erro ERRO eror fail Fail FAIL fatal Fatal FATAL fata FATA ftl FTL " +
		"critical Critical CRITICAL crit Crit CRIT crt CRT severe Severe SEVERE panic Panic PANIC dpanic DPANIC " +
		"emergency Emergency EMERGENCY emerg Emerg EMERG alert Alert ALERT")
	forms := []string{
		"time=1 level=NAME msg=x", `time=1 level="NAME" msg=x`, "2026-11-22T03:04:05.006Z\t8f7e\tNAME\tx", "[NAME] x", "[03:04:05 NAME] x",
		"[\x1b[31mNAME\x1b[0m] x", `{"level":"NAME","msg":"x"}`, `{"severity": "NAME", "msg": "x"}`,
	}
	synctest.Test(t, func(t *testing.T) {
		for _, name := range names {
			for _, form := range forms {
				saysOf(t, strings.ReplaceAll(form, "NAME", name), saysError)
			}
		}
	})
}
