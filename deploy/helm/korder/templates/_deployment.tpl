{{/* The Deployment of one service; see "korder.service" for the arguments. */}}
{{- define "korder.deployment" -}}
{{- $name := printf "korder-%s-svc" .svc -}}
{{- $settings := include "korder.settings" . | fromYaml -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "korder.serviceLabels" . | nindent 4 }}
spec:
  replicas: {{ $settings.replicas }}
  selector:
    matchLabels: {{- include "korder.selector" . | nindent 6 }}
  strategy:
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  template:
    metadata:
      # Not the chart's version: a new chart alone does not restart the pods.
      labels:
        {{- include "korder.selector" . | nindent 8 }}
        app.kubernetes.io/part-of: korder
        app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
        {{- with $settings.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $settings.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: true
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      {{- with $settings.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      # Everything below is what the Pod Security profile "restricted" asks for, and a read-only root.
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: {{ .svc }}-svc
          image: {{ $settings.image | default (include "korder.image" (dict "root" .root "program" (printf "%s-svc" .svc))) | quote }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args:
            - --namespace={{ .root.Release.Namespace }}
            - --grpc-listen=0.0.0.0:9090
            - --http-listen=0.0.0.0:8080
            - --log-format=json
            - --leader-elect=true
            {{- range .args }}
            - {{ . }}
            {{- end }}
            {{- range $settings.extraArgs }}
            - {{ . | quote }}
            {{- end }}
          env:
            # Who starts again in its pod does not wait for the Lease of the one before it (docs/adr/0014).
            - name: KORDER_POD_UID
              valueFrom: {fieldRef: {fieldPath: metadata.uid}}
            {{- with $settings.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - {name: grpc, containerPort: 9090}
            - {name: metrics, containerPort: 8080}
            {{- if .webhook }}
            - {name: webhook, containerPort: {{ .root.Values.webhook.port }}}
            {{- end }}
          # /healthz answers from the first moment on, also while the service waits for its certificate.
          livenessProbe:
            httpGet: {path: /healthz, port: metrics}
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: /readyz, port: metrics}
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 2
          {{- with $settings.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
      {{- with $settings.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $settings.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $settings.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- $selector := dict "matchLabels" (include "korder.selector" . | fromYaml) }}
      {{- $spread := list }}
      {{- if $settings.spreadOverNodes }}
      {{- $spread = append $spread (dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway") }}
      {{- end }}
      {{- with concat $spread $settings.topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- range . }}
        - {{- merge (deepCopy .) (dict "labelSelector" $selector) | toYaml | nindent 10 }}
        {{- end }}
      {{- end }}
{{- end }}
