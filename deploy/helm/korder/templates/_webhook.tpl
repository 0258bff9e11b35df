{{/* clientConfig of one webhook. Call with (dict "root" $ "path" "/mutate/pods").
     caBundle is left out on purpose: admission-svc puts it there at run time. */}}
{{- define "korder.clientConfig" -}}
{{- if .root.Values.webhook.url -}}
url: {{ printf "%s%s" .root.Values.webhook.url .path | quote }}
{{- else -}}
service:
  name: korder-admission-svc
  namespace: {{ .root.Release.Namespace }}
  port: {{ .root.Values.webhook.port }}
  path: {{ .path }}
{{- end -}}
{{- end }}
