/** Only the parts of ECharts that the console draws with; imported when the first chart is on the screen. */
import { BarChart, LineChart } from 'echarts/charts'
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use as take } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

take([BarChart, LineChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, SVGRenderer])

export { init }
