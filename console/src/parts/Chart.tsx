/** ECharts, loaded when the first chart is on the screen and only with the parts that are used. */
import type { EChartsCoreOption } from 'echarts/core'
import { useEffect, useRef } from 'react'
import { useDark } from '@/shell/preferences'

export function Chart({ option, height, label }: { option: EChartsCoreOption; height: number; label: string }) {
  const place = useRef<HTMLDivElement>(null)
  const dark = useDark()
  useEffect(() => {
    let gone = false
    let leave = () => {}
    void import('./echarts').then((core) => {
      if (gone || !place.current) return
      const chart = core.init(place.current, dark ? 'dark' : undefined, { renderer: 'svg' })
      chart.setOption({ backgroundColor: 'transparent', animation: false, aria: { enabled: true }, ...option })
      const watch = new ResizeObserver(() => chart.resize())
      watch.observe(place.current)
      leave = () => {
        watch.disconnect()
        chart.dispose()
      }
    })
    return () => {
      gone = true
      leave()
    }
  }, [option, dark])
  return <div ref={place} style={{ height }} role="img" aria-label={label} />
}
