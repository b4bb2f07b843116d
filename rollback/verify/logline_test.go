package verify_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// What a line makes of the check, where nothing else was written and nothing was
// usual before.
const (
	saysError   = "1 error line"
	saysNone    = "no error lines"
	saysNoLevel = "no log level (such as INFO or ERROR) was found"
)

var logLines = map[string]map[string]string{
	"Lambda's own, as text": {
		"2026-11-22T03:04:05.006Z 8f7e5b1c-0d2a-4b3c-9e8f-1a2b3c4d5e6f Task timed out after 3.00 seconds":                                             saysError,
		"RequestId: 8f7e5b1c Error: Runtime exited with error: signal: killed\nRuntime.ExitError":                                                     saysError,
		"RequestId: 8f7e5b1c Error: Runtime exited without providing a reason":                                                                        saysError,
		"RequestId: 8f7e5b1c Error: fork/exec /var/task/bootstrap: no such file or directory\nRuntime.InvalidEntrypoint":                              saysError,
		"RequestId: 8f7e5b1c Process exited before completing request":                                                                                saysError,
		"REPORT RequestId: 8f7e5b1c\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tStatus: timeout":    saysError,
		"REPORT RequestId: 8f7e5b1c\tDuration: 11.48 ms\tBilled Duration: 12 ms\tStatus: error\tError Type: Runtime.ExitError":                        saysError,
		"INIT_REPORT Init Duration: 10007.33 ms\tPhase: init\tStatus: timeout":                                                                        saysError,
		"INIT_REPORT Init Duration: 150.79 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.UserCodeSyntaxError":                                 saysError,
		"INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: error\tError Type: Extension.Crash":                                              saysError,
		"RESTORE_REPORT Restore Duration: 1236.04 ms\tStatus: timeout":                                                                                saysError,
		"RESTORE_REPORT Restore Duration: 1236.04 ms\tStatus: error\tError Type: Runtime.ExitError":                                                   saysError,
		"EXTENSION\tName: collector\tState: LaunchError\tEvents: []\tError Type: PermissionDenied":                                                    saysError,
		"LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code.":                                                saysError,
		"Unknown application error occurred\nRuntime.Unknown":                                                                                         saysError,
		"START RequestId: 8f7e5b1c Version: 41":                                                                                                       saysNone,
		"END RequestId: 8f7e5b1c":                                                                                                                     saysNone,
		"REPORT RequestId: 8f7e5b1c\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 1.00 ms": saysNone,
		"INIT_START Runtime Version: nodejs:22.v9\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:07a4":                                       saysNone,
		"INIT_REPORT Init Duration: 423.45 ms":                                                                                                        saysNone,
		"RESTORE_REPORT Restore Duration: 511.25 ms":                                                                                                  saysNone,
		"EXTENSION\tName: collector\tState: Ready\tEvents: [INVOKE, SHUTDOWN]":                                                                        saysNone,
	},
	"Lambda's own, as JSON": {
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.report","record":{"requestId":"8f7e","status":"timeout","metrics":{"durationMs":3000}}}`:                                                    saysError,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.report","record":{"requestId":"8f7e","status":"failure"}}`:                                                                                  saysError,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.runtimeDone","record":{"requestId":"8f7e","status":"error","errorType":"Runtime.ExitError"}}`:                                               saysError,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"timeout","metrics":{"durationMs":10000.487}}}`:              saysError,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.initRuntimeDone","record":{"initializationType":"on-demand","phase":"init","status":"error","errorType":"Runtime.ImportModuleError"}}`:      saysError,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.restoreReport","record":{"status":"error","errorType":"Runtime.ExitError"}}`:                                                                saysError,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.restoreRuntimeDone","record":{"status":"timeout"}}`:                                                                                         saysError,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.extension","record":{"name":"collector","state":"Exited","events":[],"errorType":"Extension.Crash"}}`:                                       saysError,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.report","record":{"requestId":"8f7e","status":"success","metrics":{"durationMs":12.3}}}`:                                                    saysNone,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.start","record":{"requestId":"8f7e","version":"41"}}`:                                                                                       saysNone,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.initReport","record":{"initializationType":"snap-start","phase":"init","status":"success"}}`:                                                saysNone,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.extension","record":{"name":"collector","state":"Ready","events":["INVOKE"]}}`:                                                              saysNone,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.telemetrySubscription","record":{"name":"error-collector","state":"Subscribed","types":["platform"]}}`:                                      saysNone,
		`{"time":"2026-11-22T03:04:05.006Z","type":"platform.logsDropped","record":{"reason":"Some logs were dropped because the downstream consumer is slow","droppedRecords":12,"droppedBytes":3456}}`: saysNone,
	},
	"errors and stack traces of runtimes": {
		"[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'daily'\nTraceback (most recent call last):":                                     saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tERROR\tInvoke Error \t{\"errorType\":\"TypeError\",\"errorMessage\":\"x is not a function\",\"stack\":[]}":                         saysError,
		"2026-11-22T03:04:05.006Z\tundefined\tERROR\tUncaught Exception \t{\"errorType\":\"Runtime.UserCodeSyntaxError\",\"errorMessage\":\"SyntaxError: Unexpected end\"}": saysError,
		`{"errorMessage":"open: no such file","errorType":"PathError","stackTrace":[{"path":"main.go","line":12,"label":"handle"}]}`:                                        saysError,
		`{"timestamp":"2026-11-22T03:04:05Z","level":"INFO","message":{"errorType":"KeyError","errorMessage":"'id'","stackTrace":[]},"requestId":"8f7e"}`:                   saysError,
		`{"level":30,"msg":"call","result":{"response":{"errorType":"Error","errorMessage":"boom","trace":["Error: boom"]}}}`:                                               saysError,
		"Traceback (most recent call last):\n  File \"/var/task/app.py\", line 3, in handler\nKeyError: 'id'":                                                               saysError,
		"Exception in thread \"main\" java.lang.NullPointerException: name":                                                                                                 saysError,
		"java.lang.IllegalStateException: no pool\n\tat com.shop.Handler.handle(Handler.java:12)":                                                                           saysError,
		"java.lang.StackOverflowError":                                                                                                   saysError,
		"java.lang.OutOfMemoryError\n\tat com.shop.Handler.handle(Handler.java:12)":                                                      saysError,
		"Unhandled exception. System.NullReferenceException: Object reference not set to an instance of an object.":                      saysError,
		"TypeError: Cannot read properties of undefined (reading 'id')\n    at handler (/var/task/index.js:3:5)":                         saysError,
		"Error: connect ECONNREFUSED 10.0.0.1:5432":                                                                                      saysError,
		"panic: runtime error: invalid memory address or nil pointer dereference\n\ngoroutine 1 [running]:":                              saysError,
		"fatal error: all goroutines are asleep - deadlock!":                                                                             saysError,
		"thread 'main' panicked at src/main.rs:4:5:\nboom":                                                                               saysError,
		"/var/task/app.rb:3:in 'handler': undefined method 'id' for nil (NoMethodError)":                                                 saysError,
		"PHP Fatal error:  Uncaught Exception: boom in /var/task/index.php:3":                                                            saysError,
		"botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the GetObject operation":                         saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\thandled TypeError: x and went on":                                                         saysNone,
		`{"timestamp":"2026-11-22T03:04:05Z","level":"INFO","message":"the errorType and errorMessage of an answer","requestId":"8f7e"}`: saysNone,
		"    at handler (/var/task/index.js:3:5)":                                                                                        saysNoLevel,
	},
	"levels as text": {
		"[ERROR]\t2026-11-22T03:04:05.006Z\t8f7e\tpayment failed":            saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tERROR\tpayment failed":              saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tfail\tpayment failed":               saysError,
		"2026-11-22 03:04:05,006 - shop - CRITICAL - no database":            saysError,
		"ERROR:root:payment failed":                                          saysError,
		"2026-11-22 03:04:05.006 ERROR 8 --- [main] com.shop.Pay : declined": saysError,
		"SEVERE: no pool":                                                                  saysError,
		"[03:04:05 ERR] declined":                                                          saysError,
		"[03:04:05 FTL] no database":                                                       saysError,
		"time=2026-11-22T03:04:05Z level=error msg=\"declined\"":                           saysError,
		"time=2026-11-22T03:04:05Z level=ERROR msg=declined":                               saysError,
		"2026/11/22 03:04:05 [error] 7#7: *1 upstream":                                     saysError,
		"2026/11/22 03:04:05 ERROR declined":                                               saysError,
		"[2026-11-22T03:04:05Z ERROR shop] declined":                                       saysError,
		"E, [2026-11-22T03:04:05.006 #8] ERROR -- : declined":                              saysError,
		"error: declined":                                                                  saysError,
		"fail: Shop.Pay[0]":                                                                saysError,
		"2026-11-22 03:04:05.006 | CRITICAL | shop:pay:12 - declined":                      saysError,
		"[Error] declined":                                                                 saysError,
		"FATAL declined":                                                                   saysError,
		"[INFO]\t2026-11-22T03:04:05.006Z\t8f7e\tno errors found":                          saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\tno ERROR was found":                         saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tinfo\tthe panic: is over":                         saysNone,
		"time=2026-11-22T03:04:05Z level=info msg=\"0 ERROR lines\" errors=0":              saysNone,
		"WARN  retrying after ERROR 503":                                                   saysNone,
		"[info] Task timed out after 3.00 seconds, says the other one":                     saysNone,
		"info: error rate is 0":                                                            saysNone,
		"DEBUG:urllib3.connectionpool:https://api.example:443 \"GET /error HTTP/1.1\" 200": saysNone,
		"2026-11-22 03:04:05.006  INFO 8 --- [main] com.shop.Pay : FATAL is a word here":   saysNone,
		"Alert: a customer has signed up":                                                  saysNoLevel,
		"no errors found":                                                                  saysNoLevel,
		"0 errors, 0 failed":                                                               saysNoLevel,
		"served GET / in 12 ms":                                                            saysNoLevel,
		"NOERROR from the resolver, ERROR_COUNT=0":                                         saysNoLevel,
		"the function was terrified":                                                       saysNoLevel,
		"":                                                                                 saysNone,
	},
	"levels as text, with ANSI codes and without": {
		"\x1b[31merror\x1b[39m: declined": saysError, // winston
		"\x1b[32minfo\x1b[39m: no errors": saysNone,
		"\x1b[90m3:04AM\x1b[0m \x1b[31mERR\x1b[0m declined \x1b[36merror=\x1b[0m\x1b[31mx\x1b[0m":    saysError, // zerolog
		"\x1b[2m2026-11-22T03:04:05Z\x1b[0m \x1b[31mERROR\x1b[0m \x1b[2mshop\x1b[0m: declined":       saysError, // Rust's tracing
		"\x1b[2m2026-11-22T03:04:05Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[2mshop\x1b[0m: no errors":      saysNone,
		"\x1b[2m2026-11-22 03:04:05\x1b[0m [\x1b[31m\x1b[1merror    \x1b[0m] \x1b[1mdeclined\x1b[0m": saysError, // structlog
		"2026-11-22T03:04:05.006Z\t8f7e\tERROR\t\x1b[31mdeclined\x1b[0m":                             saysError,
		"2026-11-22T03:04:05.006Z\tDPANIC\tshop/main.go:12\tdeclined":                                saysError, // zap
		"1763780645.006\terror\tshop/main.go:12\tdeclined":                                           saysError,
		"2026-11-22T03:04:05.006Z\tfatal\tshop\tshop/main.go:12\tno database":                        saysError,
		"2026-11-22T03:04:05.006Z\tinfo\tshop/main.go:12\terror rate 0":                              saysNone,
		"ERRO[0000] declined":                                                                      saysError, // logrus
		"FATA[0000] declined":                                                                      saysError,
		"INFO[0000] no ERROR":                                                                      saysNone,
		"2026-11-22T03:04:05.006Z error: declined":                                                 saysError,
		"2026-11-22T03:04:05.006Z [shop] error: declined":                                          saysError,
		"[2026-11-22 03:04:05] crit: declined":                                                     saysError,
		"2026-11-22 03:04:05 [shop] info: error: none":                                             saysNone,
		"Nov 22, 2026 3:04:05 AM com.shop.Pay charge\nSEVERE: declined":                            saysError, // java.util.logging
		"Nov 22, 2026 3:04:05 AM com.shop.Pay charge\nINFO: ERROR is a word":                       saysNone,
		"Nov 22, 2026 3:04:05 AM com.shop.Pay charge":                                              saysNoLevel,
		"2026-11-22 03:04:05.0060|ERROR|Shop.Pay|declined":                                         saysError, // NLog
		"[2026-11-22T03:04:05+00:00] app.CRITICAL: declined {\"id\":1} []":                         saysError, // Monolog
		"NOTICE: PHP message: PHP Fatal error:  Uncaught Exception: boom in /var/task/index.php:3": saysError,
		"NOTICE: PHP message: served":                                                              saysNone,
		"Fatal Python error: init_fs_encoding: failed to get the Python codec":                     saysError,
	},
	"levels of one letter, or as a number": {
		"E1122 03:04:05.000006       8 pay.go:12] declined":                           saysError, // klog
		"F1122 03:04:05.000006       8 pay.go:12] no database":                        saysError,
		"I1122 03:04:05.000006       8 pay.go:12] no ERROR":                           saysNone,
		"W0122 03:04:05.000006       8 pay.go:12] retried after ERROR":                saysNone,
		"2026-11-22 03:04:05.000006 E [8:main] Pay -- declined":                       saysError, // semantic_logger
		"2026-11-22 03:04:05.000006 F [8:main] Pay -- no database":                    saysError,
		"2026-11-22 03:04:05.000006 I [8:main] Pay -- no ERROR":                       saysNone,
		"t=2026-11-22T03:04:05+0000 lvl=eror msg=declined":                            saysError, // log15
		"t=2026-11-22T03:04:05+0000 lvl=info msg=\"lvl=eror\"":                        saysNone,
		`{"version":"1.1","host":"shop","short_message":"declined","level":3}`:        saysError, // GELF
		`{"version":"1.1","host":"shop","short_message":"no database","level":0}`:     saysError,
		`{"version":"1.1","host":"shop","short_message":"an ERROR page","level":6}`:   saysNone,
		`{"version":"1.1","host":"shop","short_message":"retried","level":4}`:         saysNone,
		`{"version":"1.1","host":"shop","short_message":"no level"}`:                  saysNoLevel,
		`{"timeUnixNano":"1","severityNumber":17,"body":{"stringValue":"declined"}}`:  saysError, // OpenTelemetry
		`{"timeUnixNano":"1","severityNumber":19,"body":"declined"}`:                  saysError,
		`{"timestamp":"1","severityNumber": 18,"body":"declined"}`:                    saysError,
		`{"timeUnixNano":"1","severityNumber":0,"body":"unspecified"}`:                saysNoLevel,
		`{"short_message":"a field of ours","level":50}`:                              saysError, // pino
		`{"name":"shop","levelno":50,"message":"no database"}`:                        saysError,
		`{"name":"shop","levelno": 50,"message":"no database"}`:                       saysError,
		`{"timestamp":"1","severity_number": 21,"body":"no database"}`:                saysError,
		`{"timeUnixNano":"1","severityNumber":9,"body":{"stringValue":"no ERROR"}}`:   saysNone,
		`{"name":"shop","levelno":40,"message":"declined"}`:                           saysError, // Python
		`{"name":"shop","levelno": 30,"message":"retried after ERROR"}`:               saysNone,
		`{"t":"2026-11-22T03:04:05Z","lvl":"eror","msg":"declined"}`:                  saysError, // log15
		`{"level":"50","msg":"declined"}`:                                             saysError,
		`{"level":"30","msg":"no ERROR"}`:                                             saysNone,
		`{"name":"shop","levelno":"30","levelname":"WARNING","message":"no ERROR"}`:   saysNone,
		`{"version":"1.1","host":"shop","short_message":"declined","level":"3"}`:      saysError,
		`{"version":"1.1","host":"shop","short_message":"an ERROR page","level":"6"}`: saysNone,
		`time="2026-11-22T03:04:05Z" level="error" msg="declined"`:                    saysError,
		`time="2026-11-22T03:04:05Z" level="info" msg="no ERROR"`:                     saysNone,
		"E1122 is the code of an article":                                             saysNoLevel,
		"plan E [beta]":                                                               saysNoLevel,
	},
	"levels as JSON, of more loggers": {
		`{"0":"declined","_meta":{"runtime":"Nodejs","logLevelId":5,"logLevelName":"ERROR"}}`:                                                saysError, // tslog
		`{"0":"an ERROR page","_meta":{"logLevelId":3,"logLevelName":"INFO"}}`:                                                               saysNone,
		`{"level":"http","message":"GET /error"}`:                                                                                            saysNone,
		`{"level":20000,"message":"no ERROR"}`:                                                                                               saysNone, // Logback
		`{"level":40000,"message":"ERROR: declined"}`:                                                                                        saysError,
		`{"level":"ERROR+4","msg":"no database"}`:                                                                                            saysError, // slog
		`{"level":"DEBUG-4","msg":"no ERROR"}`:                                                                                               saysNone,
		`{"severityText":"FATAL","body":"no database"}`:                                                                                      saysError, // OpenTelemetry
		`{"timestamp":"2026-11-22T03:04:05Z","level":"INFO","requestId":"8f7e","message":{"level":"error","message":"declined"}}`:            saysError,
		`{"timestamp":"2026-11-22T03:04:05Z","level":"INFO","requestId":"8f7e","message":{"level":"info","message":"0 errors"}}`:             saysNone,
		`{"timestamp":"2026-11-22T03:04:05Z","level":"INFO","requestId":"8f7e","message":"{\"level\":\"ERROR\",\"msg\":\"declined\"}"}`:      saysError,
		`{"timestamp":"2026-11-22T03:04:05Z","level":"INFO","requestId":"8f7e","message":"{\"errorType\":\"E\",\"errorMessage\":\"x\"}"}`:    saysError,
		`{"time":"2026-11-22T03:04:05Z","type":"platform.fault","record":"RequestId: 8f7e Error: Runtime exited with error: exit status 1"}`: saysError,
	},
	"levels as JSON": {
		`{"level":"error","msg":"declined"}`:                                                              saysError,
		`{"level": "error", "msg": "declined"}`:                                                           saysError,
		`{"level":"ERROR","location":"handler:12","message":"declined","service":"shop"}`:                 saysError,
		`{"level":"Fatal","message":"declined"}`:                                                          saysError,
		`{"level":50,"time":1763780645006,"pid":8,"msg":"declined"}`:                                      saysError,
		`{"name":"shop","level":60,"msg":"declined","v":0}`:                                               saysError,
		`{"severity":"ERROR","message":"declined"}`:                                                       saysError,
		`{"severity": "CRITICAL", "message": "declined"}`:                                                 saysError,
		`{"@timestamp":"2026-11-22T03:04:05Z","log.level":"error","message":"declined"}`:                  saysError,
		`{"@timestamp":"2026-11-22T03:04:05Z","log":{"level":"ERROR"},"message":"declined"}`:              saysError,
		`{"@t":"2026-11-22T03:04:05Z","@mt":"declined","@l":"Error"}`:                                     saysError,
		`{"asctime": "2026-11-22 03:04:05", "levelname": "ERROR", "message": "declined"}`:                 saysError,
		`{"message":"declined","context":{},"level":400,"level_name":"ERROR","channel":"app"}`:            saysError,
		`{"EventId":0,"LogLevel":"Critical","Category":"Shop","Message":"declined"}`:                      saysError,
		`{"lvl":"crit","msg":"declined"}`:                                                                 saysError,
		`{"text":"declined","record":{"level":{"icon":"x","name":"ERROR","no":40},"message":"declined"}}`: saysError,
		`{"level":"dpanic","msg":"declined"}`:                                                             saysError,
		`{"message":"ERROR: no level"}`:                                                                   saysError,
		`{"level":"error","msg":"cut off in the mid`:                                                      saysError,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t{\"level\":\"error\",\"message\":\"declined\"}":            saysError,
		`{"level":"info","msg":"no errors found"}`:                                                        saysNone,
		`{"level":"INFO","message":"ERROR is a word here","error":null}`:                                  saysNone,
		`{"level":30,"msg":"ok"}`:                                                                         saysNone,
		`{"level":40,"msg":"retried after error"}`:                                                        saysNone,
		`{"message":"ok","level":200,"level_name":"INFO"}`:                                                saysNone,
		`{"level":"info","msg":"Task timed out, says the other one"}`:                                     saysNone,
		`{"severity":"WARNING","message":"error rate 0"}`:                                                 saysNone,
		`{"@t":"2026-11-22T03:04:05Z","@mt":"served"}`:                                                    saysNone,
		`{"_aws":{"CloudWatchMetrics":[],"Timestamp":1},"Errors":0}`:                                      saysNone,
		"2026-11-22T03:04:05.006Z\t8f7e\tINFO\t{\"order\":12}":                                            saysNone,
		`{"order":12,"status":"error-free"}`:                                                              saysNoLevel,
		`{"level":"gold","customer":12}`:                                                                  saysNoLevel,
	},
}

var filterTerm = regexp.MustCompile(`\?(?:"((?:[^"\\]|\\.)*)"|(\S+))`)

// lets tells whether AWS lets a line through a pattern of alternatives.
func lets(t *testing.T, pattern, line string) bool {
	t.Helper()
	require.Empty(t, strings.TrimSpace(filterTerm.ReplaceAllString(pattern, "")), "alternatives alone")
	for _, m := range filterTerm.FindAllStringSubmatch(pattern, -1) {
		if strings.Contains(line, strings.ReplaceAll(m[1], `\"`, `"`)+m[2]) {
			return true
		}
	}
	return false
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	for _, tables := range []map[string]map[string]string{logLines, levelLines} {
		for kind, lines := range tables {
			for text, want := range lines {
				t.Run(kind+"/"+text[:min(len(text), 60)], func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { saysOf(t, text, want) })
				})
			}
		}
	}
}

// saysOf checks what one line makes of the check.
func saysOf(t *testing.T, text, want string) {
	t.Helper()
	s := newSetup()
	s.Options.Observe = time.Minute
	written, pattern := written(line("41", time.Second, text)), ""
	s.clients.Logs = logs(func(in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
		if in.FilterPattern != nil {
			pattern = *in.FilterPattern
		}
		return written(in)
	})
	got := find(t, s.verify(), "logs")
	assert.Contains(t, got.Detail, want, text)
	assert.Equal(t, want == saysNone, got.Status == report.CheckPassed, text)
	if want == saysError {
		assert.True(t, lets(t, pattern, text), "AWS does not let the line through: %s", text)
		assert.LessOrEqual(t, len(pattern), 1024, "AWS takes no longer pattern")
	}
}

// Where lines have a level, those that have none do not matter.
func TestLinesWithAndWithoutALevel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup()
		s.Options.Observe = time.Minute
		s.clients.Logs = written(line("41", time.Second, "served"), line("41", time.Second, "INFO served"), line("41", time.Second, "END RequestId: 8f7e"))
		got := find(t, s.verify(), "logs")
		assert.Equal(t, "version 41 writes to /aws/lambda/api, with no error lines", got.Detail)
		assert.Equal(t, report.CheckPassed, got.Status)
	})
}
